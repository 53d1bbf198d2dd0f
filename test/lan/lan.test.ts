/**
 * Two hosts on one network find each other with nothing configured, and survive a pulled cable.
 *
 * time limit: 240 s
 */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startWarren } from '../cli/command-line.ts'
import type { CommandResult, RunningCommand } from '../cli/command-line.ts'
import { createNetworkNamespaces, findNamespaceObstacle } from '../fixtures/network-namespaces.ts'
import type { NetworkHost } from '../fixtures/network-namespaces.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import type { TemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { testUnless } from '../fixtures/test-unless.ts'

const LAN_EXAMPLE = new URL('../../examples/lan/main.ts', import.meta.url)

const test = suite('local network')
const testOnHosts = testUnless(await findNamespaceObstacle(), test)

testOnHosts('peers find each other, see what is offered, and fetch it', async () => {
  await using network = await createNetworkNamespaces(2)
  await using place = await createTemporaryDirectory('lan')
  const [one, two] = network.hosts as [NetworkHost, NetworkHost]
  await using alice = await shareOn(one, place)
  const link = await alice.firstLine()
  const id = /(?<=peer=)[^&]+/.exec(link)![0]
  assert.match(link, /at=\/ip4\/10\.77\.0\.1\/tcp\//)

  const listed = await runOn(two, ['peers', '--json'])
  assert.equal(listed.code, 0, listed.stderr)
  const peer = JSON.parse(listed.stdout)
  assert.deepEqual([peer.id, peer.local], [id, true])
  assert.deepEqual(
    peer.shares.map(({ name, path }: { name: string; path: string }) => [name, path]),
    [['files', `/peers/${id}/files`]]
  )
  const byPath = await runOn(two, ['cat', `/peers/${id}/files/hello.txt`])
  assert.equal(byPath.stdout, 'hello there', byPath.stderr)
  const byLink = await runOn(two, ['get', link, place.join('got')])
  assert.equal(byLink.code, 0, byLink.stderr)
  assert.equal(await readFile(place.join('got/hello.txt'), 'utf8'), 'hello there')

  // A link whose addresses lead nowhere still names the peer, and that is found.
  const moved = link.replaceAll(/&at=[^&]+/g, '')
  assert.equal((await runOn(two, ['cat', moved, 'hello.txt'])).stdout, 'hello there')
})

testOnHosts('a pulled cable ends waiting in time, and plugged in again all goes on', async () => {
  await using network = await createNetworkNamespaces(2)
  await using place = await createTemporaryDirectory('lan')
  const [one, two] = network.hosts as [NetworkHost, NetworkHost]
  const large = new Uint8Array(80_000_000).map((_, index) => (index * 31 + (index >> 12)) & 255)
  await using alice = await shareOn(one, place, large)
  const link = await alice.firstLine()
  // A slow network, so that there is a middle.
  await one.run([
    'tc',
    'qdisc',
    'add',
    'dev',
    'eth0',
    'root',
    'tbf',
    'rate',
    '80mbit',
    'burst',
    '64kb',
    'latency',
    '50ms'
  ])

  const args = ['get', link, place.join('got'), '--json', '--progress', '--timeout', '60']
  await using bob = startWarren(args, { through: two.through })
  await bob.said(/"event":"progress".*"bytes":[1-9]/)
  await one.cut()
  const startedAt = performance.now()
  const unreachable = await runOn(two, ['ls', link, '--timeout', '3'])
  assert.equal(unreachable.code, 3)
  assert.match(unreachable.stderr, /^warren: opening the link: /)
  assert.ok(performance.now() - startedAt < 20_000)

  await one.restore()
  const { code, stderr } = await bob.ended
  assert.equal(code, 0, stderr)
  assert.ok(Buffer.from(large).equals(await readFile(place.join('got/large'))))
})

testOnHosts('the example for a local network lists the other', async () => {
  await using network = await createNetworkNamespaces(2)
  await using place = await createTemporaryDirectory('lan')
  const [one, two] = network.hosts as [NetworkHost, NetworkHost]
  for (const name of ['apples', 'pears']) {
    await mkdir(place.join(name))
    await writeFile(place.join(name, 'fruit.txt'), name)
  }
  const example = { main: LAN_EXAMPLE }
  await using alice = startWarren([place.join('apples')], { through: one.through, ...example })
  await using bob = startWarren([place.join('pears')], { through: two.through, ...example })
  await alice.said(/^ {2}\/peers\/\w+\/pears$/m)
  await bob.said(/^ {2}\/peers\/\w+\/apples$/m)
  alice.kill('SIGINT')
  bob.kill('SIGTERM')
  assert.deepEqual([(await alice.ended).code, (await bob.ended).code], [0, 0])
})

async function shareOn(
  host: NetworkHost,
  place: TemporaryDirectory,
  large?: Uint8Array
): Promise<RunningCommand> {
  const folder = place.join('files')
  await mkdir(folder)
  await writeFile(join(folder, 'hello.txt'), 'hello there')
  if (large !== undefined) await writeFile(join(folder, 'large'), large)
  const args = ['share', folder, '--directory', place.join('alice')]
  return startWarren(args, { through: host.through })
}

async function runOn(host: NetworkHost, args: readonly string[]): Promise<CommandResult> {
  return await startWarren(args, { through: host.through }).ended
}

test.run()
