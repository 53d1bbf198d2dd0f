/**
 * Five peers, each a process of its own, hold three copies of everything, whatever happens to them:
 *
 *     node examples/replication/main.ts [<folder>]
 *
 * Alice takes a folder in (by default some of this project's `node_modules`) and asks for three copies;
 * Bob, Carol, Dave and Erin hold them with her. Bob is killed, then Carol; both come back. Dave's
 * disk is wiped, Erin's is damaged. Alice is killed last, and everybody else reads all of it. Each time
 * the copies that are missing are made again, which a chart shows as it happens. Ends by itself,
 * within a minute, with 0 when every byte read was the right one.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compareFolders } from '../demo/compare-folders.ts'
import { PeerProcess } from '../demo/peer-process.ts'
import { Story, count, mebibytes, seconds } from '../demo/story.ts'
import { Chart } from './chart.ts'
import { EVERY_BYTES, corrupt } from './damage.ts'
import { copySome } from './folder.ts'
import type { HolderVerbs, StatusFigures } from './holder.ts'

type Holder = PeerProcess<HolderVerbs>

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const HOLDER = new URL('./holder.ts', import.meta.url)

const REPLICAS = 3
const MINIMUM = 2

/** Everybody has room for everything. */
const PLEDGE_BYTES = 1024 ** 3

/** How often it is looked how many copies there are, in milliseconds. */
const LOOK_MS = 200

/** How long it may take until there are as many copies as there should be. */
const WHOLE_MS_MAX = 60_000

const FRIENDS = ['bob', 'carol', 'dave', 'erin'] as const
const NAMES = ['alice', ...FRIENDS] as const
type Name = (typeof NAMES)[number]

const story = new Story()
const running = new Map<Name, Holder>()
const ids = new Map<Name, string>()
const startedAt = performance.now()
const folder = resolve(process.argv[2] ?? NODE_MODULES)
const place = await mkdtemp(join(tmpdir(), 'warren-demo-'))
const source = join(place, 'folder')
const chart = new Chart(NAMES, startedAt)

const leave = async (exitCode: number): Promise<never> => {
  await Promise.all([...running.values()].map(peer => peer.kill()))
  await rm(place, { recursive: true, force: true, maxRetries: 5 })
  process.exit(exitCode)
}
process.once('SIGINT', () => void leave(130))
process.once('SIGTERM', () => void leave(143))

try {
  await tellStory()
} catch (error) {
  console.error(`\nThe demo has failed: ${error instanceof Error ? error.stack : String(error)}`)
  await leave(1)
}
await leave(0)

async function tellStory(): Promise<void> {
  story.row('', 'noticed after', 'whole after', 'MiB copied')
  console.log('warren: five peers on this machine, each a process, hold three copies of a folder.')

  const link = await takeFolderIn()
  await becomeHolders()
  await happens('Bob is killed (kill -9)', async () => {
    await kill('bob')
    return is('gone', 'bob')
  })
  await writeSomething()
  await happens('Carol is killed as well', async () => {
    await kill('carol')
    return is('gone', 'carol')
  })
  await happens('Bob and Carol come back', async () => {
    await Promise.all([start('bob'), start('carol')])
    story.tell('with what they had: they get what is new, and nothing twice')
    return is('present', 'bob', 'carol')
  })
  await happens("Dave's disk is wiped", wipeDave)
  await happens("Bytes on Erin's disk turn over", () => damageErin(link))
  await killAlice(link)

  story.table()
  console.log(`All bytes were the same. It took ${seconds(performance.now() - startedAt)}.`)
}

async function takeFolderIn(): Promise<string> {
  story.step(`Five peers start. Alice takes a folder in: some of ${folder}`)
  await Promise.all([...NAMES.map(start), copySome(folder, source)])
  const alice = peer('alice')
  const { files, bytes } = await alice.ask('import', source, '/folder')
  await alice.ask('want', REPLICAS, MINIMUM)
  story.tell(`${count(files)} files, ${mebibytes(bytes)}; ${REPLICAS} copies wanted`)
  return await alice.ask('share', '/folder')
}

async function becomeHolders(): Promise<void> {
  story.step('Bob, Carol, Dave and Erin pledge space to her, and she invites them')
  const began = performance.now()
  for (const name of FRIENDS) await invite(name)
  await untilWhole(began, '', 'Four friends join')
}

async function invite(name: Name): Promise<void> {
  const [alice, friend] = [peer('alice'), peer(name)]
  await friend.ask('pledge', PLEDGE_BYTES, alice.id)
  await alice.ask('connect', await friend.ask('address'))
  await alice.ask('invite', friend.id)
}

/** Something goes wrong, or is mended; then there are too few copies, until there are not any more. */
async function happens(title: string, cause: () => Promise<Expected>): Promise<void> {
  story.step(title)
  const began = performance.now()
  const noticed = await cause()
  await until(noticed, `that ${title} is noticed`)
  const noticedMs = performance.now() - began
  await untilWhole(began, seconds(noticedMs), title)
}

type Expected = (status: StatusFigures) => boolean | Promise<boolean>

function is(expected: 'gone' | 'present', ...names: readonly Name[]): Expected {
  return ({ holders }) =>
    names.every(name =>
      holders.some(({ peer, presence }) => nameOf(peer) === name && presence === expected)
    )
}

/** Alice writes while Bob is away: he gets it when he is back. */
async function writeSomething(): Promise<void> {
  story.step('Alice goes on working: a file is new that Bob has not seen')
  await writeFile(join(source, 'written-while-bob-was-away.txt'), 'He will get it.'.repeat(2_000))
  const began = performance.now()
  await peer('alice').ask('import', source, '/folder')
  await untilWhole(began, '', 'A file is new')
}

/** Who he was will not return: Alice invites who he is now in his place. */
async function wipeDave(): Promise<Expected> {
  const before = peer('dave').id
  await kill('dave')
  await rm(directoryOf('dave'), { recursive: true })
  await start('dave')
  story.tell('his key went with it: for the others he is somebody new')
  await peer('alice').ask('remove', before)
  await invite('dave')
  return is('present', 'dave')
}

/**
 * Blocks are read again by themselves, slowly. Here Erin reads all of the folder, which finds the
 * damage at once: what is damaged counts as not there, and she reads it from somebody else.
 */
async function damageErin(link: string): Promise<Expected> {
  const turned = await corrupt(directoryOf('erin'))
  story.tell(`one byte in each ${count(EVERY_BYTES / 1024)} KiB: ${count(turned)} are wrong`)
  await readAndCompare('erin', link)
  return async () => {
    const damaged = await peer('erin').ask('damagedBlocks')
    if (damaged > 0) story.tell(`${count(damaged)} damaged blocks were found, and got from others`)
    return damaged > 0
  }
}

async function killAlice(link: string): Promise<void> {
  story.step('Alice is killed. Everybody else reads all of it, from whoever has it')
  await kill('alice')
  for (const name of FRIENDS) await readAndCompare(name, link)
}

async function readAndCompare(name: Name, link: string): Promise<void> {
  const reader = peer(name)
  const held = mebibytes(await reader.ask('heldBytes'))
  const target = await mkdtemp(join(place, `${name}-folder-`))
  const began = performance.now()
  await reader.ask('mount', '/from-alice', link)
  await reader.ask('export', '/from-alice', target)
  const took = seconds(performance.now() - began)
  const { files, bytes } = await compareFolders(source, target)
  story.tell(`${name}, who holds ${held}, has read ${mebibytes(bytes)} in ${took}`)
  story.tell(`  ${count(files)} files compared with Alice's folder: all the same`)
}

async function until(expected: Expected, what: string): Promise<void> {
  const deadline = performance.now() + WHOLE_MS_MAX
  for (;;) {
    const status = await peer('alice').ask('status')
    chart.draw(status, nameOf)
    if (await expected(status)) return
    if (performance.now() > deadline) throw new Error(`waited too long for: ${what}`)
    await sleep(LOOK_MS)
  }
}

/** Adds a row to the table: what was copied since the one before. */
async function untilWhole(began: number, noticed: string, what: string): Promise<void> {
  await until(isWhole, `three copies of everything after: ${what}`)
  const whole = seconds(performance.now() - began)
  let bytes = 0
  for (const one of running.values()) bytes += await one.ask('copiedBytes')
  story.tell(`three copies of everything ${whole} later, ${mebibytes(bytes)} copied`)
  story.row(what, noticed, whole, count(bytes / 1024 ** 2))
}

function isWhole({ bytesByCopies, holders }: StatusFigures): boolean {
  const enough = bytesByCopies.slice(0, REPLICAS).every(bytes => bytes === 0)
  const counted = holders.filter(({ presence }) => presence !== 'gone')
  return enough && counted.length >= REPLICAS && counted.every(({ isWhole }) => isWhole)
}

async function start(name: Name): Promise<Holder> {
  const peer = await PeerProcess.start<HolderVerbs>(name, HOLDER, directoryOf(name))
  running.set(name, peer)
  ids.set(name, peer.id)
  story.tell(`${name}: process ${peer.processId}, peer ${peer.id}`)
  return peer
}

/** `kill -9`: no goodbye. */
async function kill(name: Name): Promise<void> {
  await peer(name).kill()
  running.delete(name)
}

function peer(name: Name): Holder {
  const found = running.get(name)
  if (found === undefined) throw new Error(`${name} is not running`)
  return found
}

function directoryOf(name: Name): string {
  return join(place, `${name}-store`)
}

/** Who was killed is known as well. */
function nameOf(id: string): Name | undefined {
  return NAMES.find(name => ids.get(name) === id)
}
