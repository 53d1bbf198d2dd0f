/**
 * The verbs that look at things and change a peer's own namespace, here; what is looked at is
 * shared by a process of its own.
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { LOOPBACK, runHere, startWarren } from './command-line.ts'
import type { RunningCommand } from './command-line.ts'

const OFFLINE = '--no-discovery'

const test = suite('commands')

// Not in a hook: uvu swallows what a `before` throws.
const place = await createTemporaryDirectory('commands')
const alice = await startAlice(place)
const link = await alice.firstLine()
const address = /(?<=at=)[^&]+/.exec(link)![0]
const id = /(?<=peer=)[^&]+/.exec(link)![0]
test.after(async () => {
  await alice[Symbol.asyncDispose]()
  await place.remove()
})

test('ls lists what is behind a link', async () => {
  assert.equal(
    await print(['ls', link]),
    'empty/\nhello.txt\nhostile \\u{1b}[2J\\u{202e}txt\nletters/\n'
  )
  assert.equal(await print(['ls', link, 'letters']), 'a\nb\n')
  assert.equal(await print(['ls', link, 'hello.txt']), 'hello.txt\n')
  assert.equal(await print(['ls', link, 'empty']), '')
})

test('ls -l and ls --json tell more', async () => {
  const long = await print(['ls', '-l', link])
  assert.match(long, /^drwx\S{6} +\d+ \d{4}-\d\d-\d\d \d\d:\d\d letters$/m)
  assert.match(long, /^-rw-\S{6} +11 \d{4}-\d\d-\d\d \d\d:\d\d hello\.txt$/m)
  const entries = lines(await print(['ls', '--json', link]))
  assert.deepEqual(
    entries.map(({ name, type }) => [name, type]),
    [
      ['empty', 'directory'],
      ['hello.txt', 'file'],
      ['hostile \u001b[2J\u202etxt', 'file'],
      ['letters', 'directory']
    ]
  )
  const { size, mode, modified, links, inode } = entries[1]!
  assert.deepEqual([size, mode, links], [11, '0644', 1])
  assert.ok(Math.abs(Date.now() - Date.parse(modified)) < 600_000)
  assert.ok(inode > 0)
})

test('stat tells about one', async () => {
  const text = await print(['stat', link, 'hello.txt'])
  assert.match(text, /^type {6}file\nsize {6}11\nmode {6}0644\n/m)
  const [stats] = lines(await print(['stat', '--json', link]))
  assert.deepEqual([stats!.type, stats!.path], ['directory', '/things'])
})

test('cat prints the bytes as they are', async () => {
  assert.equal(await print(['cat', link, 'hello.txt']), 'hello there')
})

test('/peers is the same by path', async () => {
  const known = ['--peer', `${address}/p2p/${id}`]
  assert.equal(await print(['ls', `/peers/${id}`, ...known]), 'things/\n')
  assert.equal(await print(['cat', `/peers/${id}/things/letters/a`, ...known]), 'a')
})

test('peers lists what is offered', async () => {
  const args = ['peers', '--wait', '0.5', '--peer', `${address}/p2p/${id}`]
  const text = await print(args)
  assert.match(text, new RegExp(`^${id} {2}connected$`, 'm'))
  assert.match(text, new RegExp(`^ {4}/peers/${id}/things$`, 'm'))
  const [peer] = lines(await print([...args, '--json']))
  assert.equal(peer!.id, id)
  assert.equal(peer!.shares[0]!.link, link)
  assert.equal(await print(['peers', '--wait', '0.1']), '')
})

test('mounts are kept, listed, read through and taken away', async () => {
  const own = ['--directory', place.join('bob')]
  assert.equal(await print(['mounts', ...own]), '')
  await print(['mount', link, '/far/away', ...own])
  const [mount] = lines(await print(['mounts', '--json', ...own]))
  assert.deepEqual([mount!.path, mount!.link, mount!.writable], ['/far/away', link, false])
  assert.equal(await print(['mounts', ...own]), `/far/away  ${link}\n`)
  assert.equal(await print(['cat', '/far/away/hello.txt', ...own]), 'hello there')
  assert.match(await print(['ls', '/', ...own]), /^far\/$/m)
  await print(['unmount', '/far/away', ...own])
  assert.equal(await print(['mounts', ...own]), '')
  await fails(['unmount', '/far/away', ...own], 4, /nothing is mounted there/)
})

test('unshare takes back, and collect gives back the space', async () => {
  const own = ['--directory', place.join('carol')]
  const folder = place.join('carols')
  await mkdir(folder)
  await writeFile(place.join('carols/large'), new Uint8Array(1_000_000).fill(7))
  await using carol = startWarren(['share', folder, '--copy', ...own, ...LOOPBACK])
  const taken = await carol.firstLine()
  await fails(['unshare', '/carols', ...own], 5, /in use by process \d+.*--directory/)
  carol.kill('SIGINT')
  assert.equal((await carol.ended).code, 0)

  assert.equal(await print(['shares', ...own]), `/carols  carols  ${folder}\n`)
  const [shared] = lines(await print(['shares', '--json', ...own]))
  assert.deepEqual(shared, { path: '/carols', name: 'carols', hostPath: folder })
  await fails(['unshare', '/nothing', ...own], 4, /it is not shared/)
  await print(['unshare', folder, ...own])
  assert.equal(await print(['shares', ...own]), '')
  const [collected] = lines(await print(['collect', '--json', ...own]))
  for (const amount of [collected!.freed, collected!.kept]) {
    assert.deepEqual(Object.keys(amount as object).toSorted(), ['blocks', 'bytes'])
  }
  await fails(['share', ...own], 2, /nothing is shared yet/)
  await fails(['ls', taken, '--timeout', '1'], 3, /opening the link: /)
})

test('the directory comes from the environment when it is not said', async () => {
  const said = { WARREN_DIRECTORY: place.join('alice'), XDG_DATA_HOME: place.join('data') }
  await fails(['mounts'], 5, new RegExp(place.join('alice')), { environment: said })
  const { WARREN_DIRECTORY: _, ...shared } = said
  assert.equal(await print(['mounts'], { environment: shared }), '')
  assert.ok(existsSync(place.join('data/warren/volume.key')))
  const neither = { HOME: place.join('home'), XDG_DATA_HOME: '', WARREN_DIRECTORY: '' }
  assert.equal(await print(['mounts'], { environment: neither }), '')
  assert.ok(existsSync(place.join('home/.local/share/warren/volume.key')))
})

test('what needs no directory works while it is in use', async () => {
  const options = { environment: { WARREN_DIRECTORY: place.join('alice') } }
  assert.equal(await print(['cat', link, 'hello.txt'], options), 'hello there')
  await print(['get', link, place.join('got')], options)
})

test('failures are one line, with a code of their own', async () => {
  await fails(['cat', link, 'nothing'], 4, /printing nothing: no such file/)
  await fails(['ls', link, 'nothing'], 4, /no such file/)
  await fails(['cat', link, 'letters'], 1, /illegal operation on a directory/)
  await fails(['ls', '/peers/nobody', '--timeout', '0.3'], 3, /no such peer was found/)
  await fails(['share', place.join('nothing')], 4, /no such file/)
  await fails(['get', 'warren:'], 2, /warren/)
  await fails(['get', `${link}%`], 2, /percent/)
  await fails(['ls', link.replace('things', '../..')], 2, /canonical/)
  const nobody = link.replaceAll(/at=[^&]+/g, 'at=/ip4/127.0.0.1/tcp/1')
  await fails(['ls', nobody, '--timeout', '2'], 3, /opening the link: .*\(/)
  await fails(['get', nobody, place.join('nowhere'), '--timeout', '1'], 3, /opening the link: .*\(/)
})

test('failures are JSON for programs', async () => {
  const { code, stdout, stderr } = await runHere(['cat', link, 'x', OFFLINE])
  assert.equal(code, 4)
  const json = await runHere(['stat', link, 'x', '--json', OFFLINE])
  assert.deepEqual({ code: json.code, stdout: json.stdout }, { code, stdout })
  const { error } = JSON.parse(json.stderr)
  assert.equal(error.code, 'ENOENT')
  assert.equal(typeof error.message, 'string')
  assert.match(stderr, /^warren: /)
})

async function startAlice(place: TemporaryDirectory): Promise<RunningCommand> {
  const folder = place.join('things')
  await mkdir(place.join('things/letters'), { recursive: true })
  await mkdir(place.join('things/empty'))
  await writeFile(place.join('things/hello.txt'), 'hello there', { mode: 0o644 })
  await writeFile(place.join('things/letters/a'), 'a')
  await writeFile(place.join('things/letters/b'), 'b')
  await writeFile(place.join('things/hostile \u001b[2J\u202etxt'), 'evil')
  return startWarren(['share', folder, '--directory', place.join('alice'), ...LOOPBACK])
}

async function print(
  args: readonly string[],
  options: { readonly environment?: Record<string, string> } = {}
): Promise<string> {
  const { code, stdout, stderr } = await runHere([...args, OFFLINE], options)
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
  return stdout
}

async function fails(
  args: readonly string[],
  expectedCode: number,
  expectedText: RegExp,
  options: { readonly environment?: Record<string, string> } = {}
): Promise<void> {
  const { code, stdout, stderr } = await runHere([...args, OFFLINE], options)
  assert.equal(code, expectedCode, `${args.join(' ')}: ${stderr}`)
  assert.equal(stdout, '')
  assert.match(stderr, expectedText)
  assert.match(stderr.trimEnd().split('\n').at(-1)!, /^warren: /)
  assert.equal(stderr.includes('    at '), false)
}

interface Line {
  readonly [key: string]: unknown
  readonly modified: string
  readonly inode: number
  readonly shares: readonly { readonly link: string }[]
}

function lines(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
}

test.run()
