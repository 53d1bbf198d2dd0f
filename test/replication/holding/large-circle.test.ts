import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { BLOCK_BYTES, Cluster } from './cluster.ts'
import type { HolderMember } from './cluster.ts'

const test = suite('held volume in a large circle')

const HOLDERS = 24

test('blocks are found without asking everybody, and copies are made anew when one is gone', async () => {
  await using cluster = await Cluster.create()
  await cluster.write(['a'], { blocks: 200 })
  const holders: HolderMember[] = []
  for (let index = 0; index < HOLDERS; index++) {
    holders.push(await cluster.addHolder(`holder ${index}`))
  }
  await cluster.list({ policy: { replicas: 3, minimum: 2, on: [] } })
  for (const holder of holders) await cluster.until(holder)
  const policy = { replicas: 3, minimum: 2, on: [] }
  let copies = 0
  for (const holder of holders) {
    const part = await cluster.partOf(holder, policy)
    for (const id of part) assert.ok(holder.held.has(id))
    copies += part.size
  }
  const [gone, ...others] = holders as [HolderMember, ...HolderMember[]]
  const had = (await cluster.partOf(gone, policy)).size
  const before = cluster.network.bytesCarried()
  cluster.leave(gone)
  cluster.leave(cluster.owner)
  for (const holder of others) {
    await cluster.until(holder, 'current', report => report.gone.length === 2)
  }
  const carried = cluster.network.bytesCarried() - before
  const owners = copies / HOLDERS
  const made = had + owners
  assert.ok(carried < 2 * made * BLOCK_BYTES + 500_000, `${carried} bytes for ${made} blocks`)
  for (const holder of others) {
    for (const id of await cluster.partOf(holder, policy)) assert.ok(holder.held.has(id))
  }
})

test.run()
