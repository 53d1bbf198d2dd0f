/**
 * Three peers, each a process of its own, over real encrypted connections on this machine:
 *
 *     node examples/demo/main.ts [<folder>]
 *
 * Alice shares a folder of thousands of files in place (by default a copy of this project's
 * `node_modules`). Bob fetches it by its link; every byte is compared. Alice changes a file, and
 * Bob sees it. Alice is killed. Carol, who has Alice's link and knows Bob only, gets all of it from
 * Bob. Ends by itself, with 0 when all of that was true.
 */
import { cpSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compareFolders, sizeOfFolder } from './compare-folders.ts'
import { PeerProcess } from './peer-process.ts'
import type { PeerVerbs, TransferFigures } from './peer.ts'
import { Story, count, mebibytes, rates, seconds } from './story.ts'

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))

const PEER = new URL('./peer.ts', import.meta.url)

/** What Alice changes. */
const CHANGED = 'changed-by-alice.txt'

const story = new Story()
const peers: PeerProcess<PeerVerbs>[] = []
const folder = resolve(process.argv[2] ?? NODE_MODULES)
const place = await mkdtemp(join(tmpdir(), 'warren-demo-'))
const source = join(place, basename(folder))
const shared = `/${basename(folder)}`

const leave = async (exitCode: number): Promise<never> => {
  await Promise.all(peers.map(peer => peer.kill()))
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
  const startedAt = performance.now()
  story.row('', 'files', 'MiB', 'time', 'files/s', 'MiB/s')
  console.log('warren: a peer-to-peer file system. Three peers on this machine, each a process.')

  story.step(`A folder to share: a copy of ${folder}, so that yours stays as it is`)
  await copyFolder()

  const [alice, bob] = await startAliceAndBob()
  const link = await shareInPlace(alice)
  await fetchAndCompare(bob, link, 'Bob mounts the link and fetches everything')
  await showChange(bob)
  const aliceFigures = await alice.ask('figures')
  await killAlice(alice)
  const carol = await startCarol(bob)
  await fetchAndCompare(carol, link, "Carol takes Alice's link, and gets everything from Bob")

  story.table()
  const memory = [`alice ${mebibytes(aliceFigures.memoryBytes)}`]
  for (const peer of [bob, carol]) {
    memory.push(`${peer.name} ${mebibytes((await peer.ask('figures')).memoryBytes)}`)
  }
  console.log(`Most memory of each process: ${memory.join(', ')}.`)
  console.log(`All bytes were the same. The demo took ${seconds(performance.now() - startedAt)}.`)
}

async function copyFolder(): Promise<void> {
  await mkdir(source)
  for (const name of await readdir(folder)) {
    // Caches of tools are no part of the packages, and may be larger than all of them.
    if (name === '.cache') continue
    // Entry by entry and without a filter: then Node copies natively, which is ten times as fast.
    cpSync(join(folder, name), join(source, name), { recursive: true, verbatimSymlinks: true })
  }
  await writeFile(join(source, CHANGED), 'as it was')
}

async function start(name: string): Promise<PeerProcess<PeerVerbs>> {
  const peer = await PeerProcess.start<PeerVerbs>(name, PEER, join(place, `${name}-store`))
  peers.push(peer)
  story.tell(`${name}: process ${peer.processId}, peer ${peer.id}`)
  return peer
}

async function startAliceAndBob(): Promise<[PeerProcess<PeerVerbs>, PeerProcess<PeerVerbs>]> {
  story.step('Alice and Bob start')
  return [await start('alice'), await start('bob')]
}

async function shareInPlace(alice: PeerProcess<PeerVerbs>): Promise<string> {
  story.step('Alice shares the folder in place: its files are read, watched, and not copied')
  const [report, ms] = await timed(story.watch(alice, alice.ask('mirror', source, shared)))
  requireWhole(report)
  const link = await alice.ask('share', shared)
  const stored = mebibytes(await sizeOfFolder(join(place, 'alice-store')))
  story.tell(`${describe(report)} taken in, ${seconds(ms)}; her store has ${stored} on disk`)
  story.tell(link)
  story.row('alice: share in place', ...rates(report, ms))
  return link
}

async function fetchAndCompare(
  peer: PeerProcess<PeerVerbs>,
  link: string,
  title: string
): Promise<void> {
  story.step(title)
  const target = join(place, `${peer.name}-folder`)
  const [names, listMs] = await timed(
    peer.ask('mount', '/from-alice', link).then(() => peer.ask('list', '/from-alice'))
  )
  story.tell(`first listing, of ${count(names)} names, ${seconds(listMs)} after having the link`)
  const [report, ms] = await timed(story.watch(peer, peer.ask('export', '/from-alice', target)))
  requireWhole(report)
  story.tell(`${describe(report)} written to a folder, ${seconds(ms)}`)
  story.row(`${peer.name}: fetch to a folder`, ...rates(report, ms))
  await compare(target)
}

async function compare(target: string): Promise<void> {
  const [compared, ms] = await timed(compareFolders(source, target))
  story.tell(`${describe(compared)} compared with Alice's folder: all the same (${seconds(ms)})`)
}

async function showChange(bob: PeerProcess<PeerVerbs>): Promise<void> {
  story.step('A file of the folder is changed; Bob is reading it all the while')
  const content = `changed at ${new Date().toISOString()}`
  const path = `/from-alice/${CHANGED}`
  await bob.ask('await', path, 'as it was')
  const seen = timed(bob.ask('await', path, content))
  await writeFile(join(source, CHANGED), content)
  const [, seenMs] = await seen
  story.tell(`Bob has read the new content ${seconds(seenMs)} after it was written`)
  const target = join(place, 'bob-folder')
  const [report, ms] = await timed(bob.ask('export', '/from-alice', target))
  story.tell(
    `Bob brings his copy up to date: ${count(report.files)} written, ` +
      `${count(report.skipped)} unchanged, ${seconds(ms)}`
  )
  story.row('bob: see a change of one file', '1', '0', seconds(seenMs), '', '')
  await compare(target)
}

async function killAlice(alice: PeerProcess<PeerVerbs>): Promise<void> {
  story.step('Alice is killed (kill -9)')
  await alice.kill()
  story.tell('she is gone, without a goodbye')
}

async function startCarol(bob: PeerProcess<PeerVerbs>): Promise<PeerProcess<PeerVerbs>> {
  story.step('Carol starts. She knows where Bob is, and nobody else')
  const carol = await start('carol')
  await carol.ask('connect', await bob.ask('address'))
  return carol
}

async function timed<Value>(work: Promise<Value>): Promise<[value: Value, ms: number]> {
  const startedAt = performance.now()
  return [await work, performance.now() - startedAt]
}

function requireWhole({ failed }: TransferFigures): void {
  if (failed.length > 0) throw new Error(`${failed.length} files failed: ${failed[0]}`)
}

function describe({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  return `${count(files)} files, ${mebibytes(bytes)}`
}
