import { suite } from 'uvu'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  LINK_ADDRESSES_MAX,
  LINK_ADDRESS_LENGTH_MAX,
  LINK_LENGTH_MAX,
  LINK_PARAMETERS_MAX,
  LINK_PEERS_MAX,
  formatLink,
  parseLink
} from '../../src/namespace/link.ts'
import type { Link } from '../../src/namespace/link.ts'
import { createReadKey } from '../../src/blocks/index.ts'
import type { ReadKey } from '../../src/blocks/index.ts'
import { isShareName, isSharePath } from '../../src/namespace/heads/share-name.ts'
import { createVolumeId } from '../../src/namespace/heads/volume-id.ts'
import { peerIdOf } from '../../src/peer/index.ts'
import type { PeerId } from '../../src/peer/index.ts'

const test = suite('link')
const volume = createVolumeId(new Uint8Array(32).fill(1))
const alice = peerIdOf(new Uint8Array(32).fill(2))
const bob = peerIdOf(new Uint8Array(32).fill(3))

function addressesOf(peer: PeerId, ...addresses: string[]): string[] {
  return addresses.map(address => `${address}/p2p/${peer}`)
}

const example: Link = {
  volume,
  path: '/Photos/Été 2024/a&b=c?#%.jpg',
  peers: [
    {
      id: alice,
      addresses: addressesOf(alice, '/ip4/192.168.1.7/tcp/4001', '/dns4/a.example/tcp/1')
    },
    { id: bob, addresses: [] }
  ],
  name: 'Été & co'
}

test('keeps its form', () => {
  assert.equal(
    formatLink(example),
    `warren:${volume}/Photos/%C3%89t%C3%A9%202024/a%26b%3Dc%3F%23%25.jpg` +
      `?peer=${alice}&at=/ip4/192.168.1.7/tcp/4001&at=/dns4/a.example/tcp/1` +
      `&peer=${bob}&name=%C3%89t%C3%A9%20%26%20co`
  )
  assert.equal(formatLink({ volume, path: '/', peers: [] }), `warren:${volume}/`)
})

test('comes back as it was', () => {
  assert.deepEqual(parseLink(formatLink(example)), example)
  assert.deepEqual(parseLink(`warren:${volume}`), { volume, path: '/', peers: [] })
  assert.deepEqual(parseLink(`WARREN:${volume}/?`), { volume, path: '/', peers: [] })
})

test('is a URI to those who know nothing of it', () => {
  const url = new URL(formatLink(example))
  assert.equal(url.protocol, 'warren:')
  assert.equal(url.href, formatLink(example))
  assert.equal(url.searchParams.get('name'), example.name)
  assert.deepEqual(url.searchParams.getAll('peer'), [alice, bob])
})

test('keeps parameters of later versions', () => {
  const later = `warren:${volume}/a?keys=zQ3%20sh+x&peer=${alice}&grant=a=b&flag&name=photos`
  const link = parseLink(later)
  assert.deepEqual(link.parameters, [
    ['keys', 'zQ3 sh+x'],
    ['grant', 'a=b'],
    ['flag', '']
  ])
  assert.equal(link.name, 'photos')
  assert.deepEqual(parseLink(formatLink(link)), link)
})

test('carries the key of a sealed volume', () => {
  const key = createReadKey()
  const text = formatLink({ ...example, key })
  assert.equal(text, `${formatLink(example)}&key=${key}`)
  assert.deepEqual(parseLink(text), { ...example, key })
  assert.equal(new URL(text).searchParams.get('key'), key)
  assert.equal(parseLink(formatLink(example)).key, undefined)
})

test('a key that is none is refused and not repeated', () => {
  const key = createReadKey()
  const link = (query: string): string => `warren:${volume}/?${query}`
  const parts = [
    'key=',
    'key',
    `key=${key.slice(1)}`,
    `key=${key}A`,
    `key=${key.slice(0, -1)}B`,
    `key=${key}%20`,
    `key=%00${key.slice(1)}`,
    `key=${key}&key=${key}`,
    `key=${key}&key=${createReadKey()}`
  ]
  for (const part of parts) {
    assert.throws(
      () => parseLink(link(part)),
      (error: Error & { code?: string }) =>
        error.code === 'EINVAL' && !error.message.includes(key.slice(1, 20))
    )
  }
  assert.throws(() => formatLink({ ...example, key: 'short' as ReadKey }), { code: 'EINVAL' })
  assert.throws(() => formatLink({ ...example, parameters: [['key', key]] }), { code: 'EINVAL' })
})

const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const segments = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }), {
  maxLength: 5
})
const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })
const hints = fc.uniqueArray(
  fc.array(fc.stringMatching(/^[!-.0-~]{1,20}$/), { minLength: 1, maxLength: 6 }),
  { maxLength: LINK_ADDRESSES_MAX, selector: parts => parts.join('/') }
)
const links: fc.Arbitrary<Link> = fc
  .record(
    {
      volume: keys.map(createVolumeId),
      path: segments.map(list => '/' + list.join('/')).filter(isSharePath),
      peers: fc.uniqueArray(
        fc.record({ id: keys.map(peerIdOf), hints }).map(({ id, hints: parts }) => ({
          id,
          addresses: addressesOf(id, ...parts.map(list => '/' + list.join('/')).filter(isBare))
        })),
        { maxLength: LINK_PEERS_MAX, selector: peer => peer.id }
      ),
      name: names.filter(isShareName),
      parameters: fc.array(
        fc.tuple(
          names.filter(name => !['peer', 'at', 'name', 'key'].includes(name)),
          fc.string({ unit: 'grapheme' })
        ),
        { minLength: 1, maxLength: 5 }
      )
    },
    { requiredKeys: ['volume', 'path', 'peers'], noNullPrototype: true }
  )
  .map(link => link as Link)

function isBare(address: string): boolean {
  return !/\/p2p\/[^/]+$/.test(address)
}

test('comes back as it was, whatever it says', () => {
  fc.assert(
    fc.property(links, link => {
      const text = formatLink(link)
      assert.match(text, /^[!-~]+$/)
      assert.deepEqual(parseLink(text), link)
      assert.equal(new URL(text).href, text)
    }),
    { numRuns: 300 }
  )
})

test('is read or refused, whatever the text', () => {
  const parameter = fc.constantFrom(
    'peer',
    'at',
    'name',
    'key',
    alice,
    '/ip4/1.2.3.4',
    '%',
    '',
    'é'
  )
  const pairs = fc.array(fc.tuple(parameter, parameter).map(pair => pair.join('=')))
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string().map(rest => `warren:${volume}${rest}`),
    pairs.map(list => `warren:${volume}/a?${list.join('&')}`)
  )
  fc.assert(
    fc.property(texts, text => {
      let link: Link
      try {
        link = parseLink(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'EINVAL')
        return
      }
      assert.deepEqual(parseLink(formatLink(link)), link)
    }),
    { numRuns: 1000 }
  )
})

const start = `warren:${volume}`
const refused: Readonly<Record<string, string>> = {
  nothing: '',
  'another scheme': `http://${volume}/`,
  'no scheme': `${volume}/`,
  'no volume': 'warren:/a',
  'two slashes': `warren://${volume}/a`,
  'a volume cut short': start.slice(0, -1),
  'a peer for a volume': `warren:${alice}/`,
  'space around it': ` ${start}/ `,
  'a new line in it': `${start}/a\n`,
  'text that is not encoded': `${start}/é`,
  'a fragment': `${start}/a#b`,
  'a path that climbs': `${start}/../a`,
  'a path that climbs, encoded': `${start}/%2e%2E/a`,
  'a path with a dot': `${start}/./a`,
  'an encoded slash': `${start}/a%2Fb`,
  'an encoded NUL': `${start}/a%00b`,
  'an empty name': `${start}/a//b`,
  'a slash at the end': `${start}/a/`,
  'broken encoding': `${start}/%zz`,
  'encoding cut short': `${start}/%4`,
  'bytes that are not UTF-8': `${start}/%ff`,
  'half a surrogate pair': `${start}/%ED%A0%80`,
  'a name over 255 bytes': `${start}/${'a'.repeat(256)}`,
  'a path over 4096 characters': start + '/a'.repeat(2049),
  'an address before its peer': `${start}/?at=/ip4/1.2.3.4`,
  'an address that is none': `${start}/?peer=${alice}&at=1.2.3.4`,
  'an empty address': `${start}/?peer=${alice}&at=`,
  'an address with an empty part': `${start}/?peer=${alice}&at=/ip4//tcp`,
  'an address with a space': `${start}/?peer=${alice}&at=/ip4/1%202`,
  "another peer's address": `${start}/?peer=${alice}&at=/ip4/1.2.3.4/p2p/${bob}`,
  'a long address': `${start}/?peer=${alice}&at=/${'a'.repeat(LINK_ADDRESS_LENGTH_MAX)}`,
  'a peer that is none': `${start}/?peer=alice`,
  'a volume for a peer': `${start}/?peer=${volume}`,
  'a peer twice': `${start}/?peer=${alice}&peer=${alice}`,
  'two names': `${start}/?name=a&name=b`,
  'an empty name of the share': `${start}/?name=`,
  'a name that climbs': `${start}/?name=..`,
  'a name that steers a terminal': `${start}/?name=%1b%5B2J`,
  'a parameter without a name': `${start}/?=a`,
  'an empty parameter': `${start}/?a=b&&c=d`
}

for (const [what, text] of Object.entries(refused)) {
  test(`refuses ${what}`, () => {
    assert.throws(() => parseLink(text), { code: 'EINVAL' })
  })
}

test('holds exactly its limits', () => {
  const peers = Array.from({ length: LINK_PEERS_MAX + 1 }, (_, index) => {
    const id = peerIdOf(new Uint8Array(32).fill(index))
    return `peer=${id}` + `&at=/ip4/1.2.3.4/tcp/1`.repeat(LINK_ADDRESSES_MAX)
  })
  const parameters = Array.from({ length: LINK_PARAMETERS_MAX + 1 }, () => 'later=1')
  const full = [...peers.slice(1), ...parameters.slice(1), 'name=a'].join('&')
  assert.equal(parseLink(`${start}/?${full}`).peers.length, LINK_PEERS_MAX)
  const over = [
    peers.join('&'),
    parameters.join('&'),
    `${peers[0]}&at=/a`,
    'a&'.repeat(100_000),
    'a'.repeat(LINK_LENGTH_MAX)
  ]
  for (const query of over) assert.throws(() => parseLink(`${start}/?${query}`), { code: 'EINVAL' })
})

test('refuses long text without reading it', () => {
  const long = `${start}/${'%41'.repeat(10_000_000)}`
  const times = Array.from({ length: 5 }, () => {
    const startMs = performance.now()
    assert.throws(() => parseLink(long), { code: 'EINVAL' })
    assert.throws(() => parseLink('k'.repeat(LINK_LENGTH_MAX)), { code: 'EINVAL' })
    assert.throws(() => parseLink(`warren:${'k'.repeat(LINK_LENGTH_MAX - 10)}`), { code: 'EINVAL' })
    return performance.now() - startMs
  })
  // The quickest, since a machine may do something else in the middle of any.
  assert.ok(Math.min(...times) < 200, times.join())
})

test('leaves out hints that are too many or none, and keeps the first of equal ones', () => {
  const many = Array.from({ length: 40 }, (_, index) => `/ip4/10.0.0.${index}/tcp/1`)
  const bad = ['', 'nonsense', `/ip4/1.2.3.4/p2p/${bob}`, '/' + 'x'.repeat(LINK_ADDRESS_LENGTH_MAX)]
  const addresses = [...bad, many[0]!, `${many[0]!}/p2p/${alice}`, ...many]
  const link = parseLink(formatLink({ volume, path: '/', peers: [{ id: alice, addresses }] }))
  assert.deepEqual(
    link.peers[0]?.addresses,
    addressesOf(alice, ...many.slice(0, LINK_ADDRESSES_MAX))
  )
})

test('is not made of what it could not be read as', () => {
  const good: Link = { volume, path: '/', peers: [] }
  const bad: Link[] = [
    { ...good, volume: 'k51' as typeof volume },
    { ...good, path: 'a' },
    { ...good, path: '/a/../b' },
    { ...good, path: '/\ud800' },
    { ...good, name: 'a/b' },
    { ...good, peers: [{ id: 'alice' as PeerId, addresses: [] }] },
    { ...good, parameters: [['peer', alice]] },
    { ...good, parameters: [['', 'a']] },
    { ...good, parameters: [['a', '\ud800']] }
  ]
  for (const link of bad) assert.throws(() => formatLink(link), { code: 'EINVAL' })
})

test.run()
