/** What is right and wrong on a command line, without any network. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { COMMANDS } from '../../src/cli/commands.ts'
import { Interruption } from '../../src/cli/interruption.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { runHere, runWarren } from './command-line.ts'

const test = suite('command line')

test('tells what it can do', async () => {
  for (const args of [['help'], ['--help'], ['-h']]) {
    const { code, stdout } = await runHere(args)
    assert.equal(code, 0)
    for (const { name, summary } of COMMANDS) {
      assert.match(stdout, new RegExp(`^  ${name} +${summary.split(' ')[0]}`, 'm'))
    }
    assert.match(stdout, /Exit codes:/)
  }
})

test('tells how each command is used, on lines that fit', async () => {
  for (const { name, usage } of COMMANDS) {
    const { code, stdout } = await runHere(['help', name])
    assert.equal(code, 0)
    assert.ok(stdout.includes(`Usage: warren ${name} ${usage}`.trimEnd()))
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line)
    assert.equal((await runHere([name, '--help'])).stdout, stdout)
  }
})

test('tells its version', async () => {
  const { stdout } = await runHere(['version'])
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal((await runHere(['--version'])).stdout, stdout)
  const { version } = JSON.parse((await runHere(['version', '--json'])).stdout)
  assert.equal(version, stdout.trim())
})

test('refuses what it does not know, with 2 and one line', async () => {
  const wrong = {
    '': /no command/,
    bogus: /no command is called 'bogus'/,
    'help bogus': /no command is called 'bogus'/,
    'ls --nonsense /a': /--nonsense/,
    'ls --timeout': /--timeout/,
    'ls --timeout soon /a': /--timeout soon: not a number of seconds/,
    'ls --timeout 0 /a': /--timeout 0/,
    'ls --timeout 86401 /a': /--timeout 86401/,
    get: /get needs more: get <link>/,
    'get one two three': /'three' is too much/,
    'get photos': /photos: not a link/,
    'mount photos /a': /photos: not a link/,
    'mount warren:x a': /a path begins with \//,
    'ls photos': /photos: neither a link .* nor a path/,
    'ls /a b': /only a link has a path after it/,
    'cat --json /a': /are no JSON/,
    'share --name x a b': /--name goes with one folder/,
    'share --name .. a': /--name \.\.: not the name/,
    'share --name a/b a': /--name a\/b: not the name/,
    'peers --wait long': /--wait long/,
    'peers --listen nowhere': /--listen nowhere: not of the form \/ip4\//,
    'peers --listen /ip4/1.2.3/tcp/1': /--listen \/ip4\/1\.2\.3\/tcp\/1: not of the form/,
    'peers --listen /ip4/127.0.0.1/udp/1': /not of the form/,
    'peers --listen /ip4/127.0.0.1/tcp/65536': /not of the form/,
    'peers --peer nowhere': /nowhere: not a multiaddr/,
    'peers --peer /ip4/127.0.0.1/tcp/1': /ends in no \/p2p\//
  }
  for (const [line, expected] of Object.entries(wrong)) {
    const { code, stdout, stderr } = await runHere(line.split(' ').filter(word => word !== ''))
    assert.equal(code, 2, line)
    assert.equal(stdout.length, 0)
    if (line.includes('--json')) continue
    assert.match(stderr, expected)
    assert.match(stderr, /^warren: .+ \(see 'warren help.*'\)\n$/)
  }
})

test('takes the options of every command before and after it', async () => {
  for (const args of [
    ['--json', 'help', 'bogus'],
    ['help', 'bogus', '--json'],
    ['--directory', 'help', '--json', 'bogus']
  ]) {
    const { code, stderr } = await runHere(args)
    assert.equal(code, 2)
    assert.equal(JSON.parse(stderr).error.code, 'EUSAGE')
    assert.match(JSON.parse(stderr).error.message, /'bogus'/)
  }
})

test('shows nothing that a terminal would obey', async () => {
  const { stderr } = await runHere(['\u001b[2Jbogus\u202e'])
  assert.equal(stderr.includes('\u001b'), false)
  assert.equal(stderr.includes('\u202e'), false)
})

test('shows no key of a link, wherever on the command line it stands', async () => {
  const key = 'kSECRETSECRETSECRET'
  const link = `warren:k51nonsense/photos?peer=x&%6bey=${key}&name=photos`
  const invitation = `warren:k51nonsense/?peer=x&invitation=${key}`
  const lines = [
    [link],
    ['help', link],
    ['ls', '/a', link],
    ['get', link, 'two', link],
    ['get', `.${link}`],
    ['get', link.slice(3)],
    ['get', link],
    ['ls', link],
    ['cat', link, 'path'],
    ['stat', link],
    ['mount', link, '/a'],
    ['mount', link, 'a'],
    ['share', link],
    ['unshare', link],
    ['unmount', link],
    ['accept', invitation, 'more'],
    ['accept', invitation, '--bytes', invitation],
    ['invite', invitation],
    ['leave', invitation],
    ['replicas', invitation, '3'],
    ['peers', `--${link}`],
    ['peers', '--peer', link],
    ['peers', '--listen', link],
    ['peers', '--wait', link],
    ['ls', '--timeout', link, link]
  ]
  await using place = await createTemporaryDirectory('secrets')
  const environment = { WARREN_DIRECTORY: place.join('store') }
  for (const line of lines) {
    for (const form of [[], ['--json']]) {
      const args = [...line, ...form, '--no-discovery']
      const { code, stdout, stderr } = await runHere(args, { environment })
      assert.ok(code !== 0, line.join(' '))
      assert.equal((stdout + stderr).includes(key), false, `${line.join(' ')}: ${stderr}`)
    }
  }
})

test('as a process ends by itself, with the code', async () => {
  assert.equal((await runWarren(['version'])).code, 0)
  const { code, stdout, stderr } = await runWarren(['bogus'])
  assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
  assert.match(stderr, /^warren: /)
})

test('ends as shells expect when it was interrupted', async () => {
  for (const [name, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    const signal = AbortSignal.abort(new Interruption(name))
    const { code, stderr } = await runHere(['peers', '--no-discovery'], { signal })
    assert.deepEqual({ code, stderr }, { code: expected, stderr: '' })
  }
})

test.run()
