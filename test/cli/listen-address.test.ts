import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isListenAddress } from '../../src/cli/listen-address.ts'

const test = suite('listen address')

test('is of TCP over IP, with a port that there is', () => {
  for (const [text, expected] of [
    ['/ip4/0.0.0.0/tcp/0', true],
    ['/ip4/127.0.0.1/tcp/65535', true],
    ['/ip6/::/tcp/4001', true],
    ['/ip6/::1/tcp/4001', true],
    ['', false],
    ['/', false],
    ['ip4/127.0.0.1/tcp/1', false],
    ['x/ip4/127.0.0.1/tcp/1', false],
    ['/ip4/127.0.0.1', false],
    ['/ip4/127.0.0.1/tcp', false],
    ['/ip4/127.0.0.1/tcp/', false],
    ['/ip4/127.0.0.1/tcp/65536', false],
    ['/ip4/127.0.0.1/tcp/-1', false],
    ['/ip4/127.0.0.1/tcp/1e3', false],
    ['/ip4/127.0.0.1/tcp/1/', false],
    ['/ip4/127.0.0.1/udp/1', false],
    ['/ip4/256.0.0.1/tcp/1', false],
    ['/ip4/::1/tcp/1', false],
    ['/ip6/127.0.0.1/tcp/1', false],
    ['/dns4/example.org/tcp/1', false]
  ] as const) {
    assert.equal(isListenAddress(text), expected, text)
  }
})

test.run()
