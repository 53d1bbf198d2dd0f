/** Two users keep copies for each other, with the command alone, in processes of their own. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplicationStatus } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { LOOPBACK, runHere, startWarren } from './command-line.ts'

const BYTES = 2_000_000

/** Until there are as many copies as there should be, in milliseconds. */
const COPYING_MS_MAX = 30_000

const test = suite('copies from a shell')

test('a friend accepts, holds, is seen, and leaves', async () => {
  await using place = await createTemporaryDirectory('copies')
  const [alices, bobs] = [place.join('alice-store'), place.join('bob-store')]
  await using alice = startWarren(['share', await makeFolder(place), '--copy', ...own(alices)])
  await alice.firstLine()
  await using bob = startWarren(['run', ...own(bobs)])
  await bob.said(/^peer \S+$/m, 'stderr')

  assert.match(await print(['replicas', '2', ...at(alices)]), /^\/ {2}2 copies, 2 at least\n$/)
  const invitation = (await print(['invite', ...at(alices)])).trim()
  const volume = (await print(['accept', invitation, '--bytes', '1GB', ...at(bobs)])).split(' ')[0]
  await fails(['accept', invitation, '--bytes', '1GB', ...own(place.join('carol-store'))])

  const whole = await untilCopies(alices, 2)
  assert.equal(whole.volume, volume)
  assert.equal(whole.repairing.blocks, 0)
  assert.match(await print(['status', ...at(alices)]), /^\/ +2 +\[2{20}\]/m)
  const [friend] = whole.holders.filter(({ owner }) => !owner)
  assert.deepEqual([friend!.presence, friend!.pledgeBytes], ['present', 1e9])
  assert.match(
    await print(['holders', ...at(alices)]),
    new RegExp(`^${friend!.peer} +- +present`, 'm')
  )
  const pledged = JSON.parse(await print(['pledge', '--json', ...at(bobs)]))
  assert.equal(pledged.held[0].volume, volume)
  assert.ok(pledged.usedBytes >= BYTES, `${pledged.usedBytes}`)

  assert.match(
    await print(['check', ...at(alices)]),
    /^21 files, 3 directories, .*: no problems\n$/
  )
  await turnOver(alices)
  const damaged = await runHere(['check', '--json', ...at(alices)])
  assert.equal(damaged.code, 1, damaged.stderr)
  assert.deepEqual(JSON.parse(damaged.stdout).byKind, { 'block-damaged': 1 })
  const repaired = await runHere(['check', '--repair', ...at(alices)])
  // Since it was found it is not there.
  assert.match(repaired.stdout, /^\/photos\/large: block-missing \(repaired\)\n/)
  assert.match(repaired.stdout, /: 1 problem, all repaired\n$/)
  assert.equal(repaired.code, 0, repaired.stderr)
  assert.match(await print(['check', ...at(alices)]), /: no problems\n$/)

  await print(['leave', '--no-drain', ...at(bobs)])
  assert.deepEqual(JSON.parse(await print(['pledge', '--json', ...at(bobs)])).held, [])
  bob.kill('SIGINT')
  assert.equal((await bob.ended).code, 0)
})

test('who runs nothing starts a peer to look, and one that pledges is invited by its name', async () => {
  await using place = await createTemporaryDirectory('copies')
  const [alices, bobs] = [place.join('alice-store'), place.join('bob-store')]
  const folder = await makeFolder(place)
  const alice = startWarren(['share', folder, ...own(alices)])
  await alice.firstLine()
  const alicesId = /^peer (\S+)$/m.exec(alice.stderr)![1]!
  await print(['pledge', '1GB', '--to', alicesId, '--zone', 'attic', ...own(bobs)])
  await using bob = startWarren(['run', ...own(bobs)])
  const address = (await bob.said(/\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\S+/, 'stderr')).trim()
  alice.kill('SIGINT')
  assert.equal((await alice.ended).code, 0)

  await print(['replicas', '/', 'all', ...own(alices)])
  await print(['invite', address, ...own(alices)])
  const status = await untilCopies(alices, 2, ['--wait', '10', '--peer', address, ...LOOPBACK])
  assert.equal(status.holders.find(({ owner }) => !owner)?.zone, 'attic')
})

/** Damages one block of the large file where it lies. */
async function turnOver(directory: string): Promise<void> {
  const segments = join(directory, 'blocks/segments')
  for (const name of (await readdir(segments)).filter(one => one.endsWith('.segment'))) {
    await using file = await open(join(segments, name), 'r+')
    const at = (await file.stat()).size / 2
    const { buffer } = await file.read(new Uint8Array(1), 0, 1, Math.floor(at))
    await file.write(Uint8Array.of(buffer[0]! ^ 0xff), 0, 1, Math.floor(at))
  }
}

function own(directory: string): string[] {
  return ['--directory', directory, ...LOOPBACK]
}

/** For verbs that work in the peer that runs. */
function at(directory: string): string[] {
  return ['--directory', directory]
}

async function untilCopies(
  directory: string,
  copies: number,
  options: readonly string[] = []
): Promise<ReplicationStatus> {
  const deadline = performance.now() + COPYING_MS_MAX
  for (;;) {
    const text = await print(['status', '--json', ...at(directory), ...options])
    const status = JSON.parse(text) as ReplicationStatus
    const [top] = status.folders
    const enough = top!.copies[copies]?.bytes === top!.total.bytes
    if (enough && top!.total.bytes > 0 && status.repairing.blocks === 0) return status
    assert.ok(performance.now() < deadline, text)
    await sleep(100)
  }
}

async function makeFolder(place: TemporaryDirectory): Promise<string> {
  const folder = place.join('photos')
  await mkdir(place.join('photos/letters'), { recursive: true })
  await writeFile(place.join('photos/large'), randomBytes(BYTES))
  for (let i = 0; i < 20; i++) await writeFile(place.join(`photos/letters/${i}`), `letter ${i}`)
  return folder
}

async function print(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(args)
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
  return stdout
}

async function fails(args: readonly string[]): Promise<void> {
  const { code } = await runHere(args)
  assert.notEqual(code, 0)
}

test.run()
