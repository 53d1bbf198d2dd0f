import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { BlockId } from '../../../src/blocks/index.ts'
import type { InodeNumber } from '../../../src/namespace/index.ts'
import { createPlacement } from '../../../src/replication/index.ts'
import type { Policy } from '../../../src/replication/index.ts'
import { Cluster, EVERYBODY, ONE_COPY, TWO_COPIES } from './cluster.ts'
import type { HolderMember } from './cluster.ts'

const test = suite('held volume with policies of directories')

const ROOT = 1 as InodeNumber

interface Story {
  readonly cluster: Cluster
  readonly alice: HolderMember
  readonly bob: HolderMember
  readonly photos: InodeNumber
  readonly letters: InodeNumber
}

async function begin(): Promise<Story> {
  const cluster = await Cluster.create()
  const photos = await cluster.makeDirectory('photos')
  const letters = await cluster.makeDirectory('letters')
  const alice = await cluster.addHolder('alice')
  const bob = await cluster.addHolder('bob')
  return { cluster, alice, bob, photos, letters }
}

async function settled({ cluster, alice, bob }: Story): Promise<void> {
  for (const holder of [alice, bob]) await cluster.until(holder)
}

/** Both holders have of these blocks what placement gives them by this policy. */
function assertPlaced(story: Story, ids: readonly BlockId[], policy: Policy): void {
  const { cluster, alice, bob } = story
  const placement = createPlacement({ holders: cluster.circles.counted() })
  assert.ok(ids.length > 0)
  for (const holder of [alice, bob]) {
    const assignment = placement.assignmentOf(holder.peer.id, policy)
    for (const id of ids) {
      assert.equal(holder.held.has(id), assignment.has(id), `${holder.name} ${id}`)
    }
  }
}

test('the nearest directory with a policy decides, and a file may have its own', async () => {
  const story = await begin()
  await using cluster = story.cluster
  const { photos, letters } = story
  const best = await cluster.volume.update(transaction =>
    transaction.create(photos, 'best', { type: 'directory', mode: 0o755 })
  )
  const [a] = await cluster.write(['a'], { blocks: 20, directory: photos })
  const [b] = await cluster.write(['b'], { blocks: 20, directory: best.number })
  const [c] = await cluster.write(['c'], { blocks: 20, directory: letters })
  const [d] = await cluster.write(['d'], { blocks: 20, directory: letters })
  await cluster.list({
    policy: TWO_COPIES,
    overrides: new Map([
      [photos, ONE_COPY],
      [best.number, EVERYBODY],
      [d!, EVERYBODY],
      [9999 as InodeNumber, EVERYBODY]
    ])
  })
  await settled(story)
  assertPlaced(story, await cluster.blocksOf(a!), ONE_COPY)
  assertPlaced(story, await cluster.blocksOf(b!), EVERYBODY)
  assertPlaced(story, await cluster.blocksOf(c!), TWO_COPIES)
  assertPlaced(story, await cluster.blocksOf(d!), EVERYBODY)
})

test('a new list, and a file that is moved, count for what is there', async () => {
  const story = await begin()
  await using cluster = story.cluster
  const { photos, letters } = story
  const [a] = await cluster.write(['a'], { blocks: 20, directory: photos })
  await cluster.list({ policy: ONE_COPY })
  await settled(story)
  const blocks = await cluster.blocksOf(a!)
  assertPlaced(story, blocks, ONE_COPY)
  await cluster.list({ policy: ONE_COPY, overrides: new Map([[photos, EVERYBODY]]) })
  await settled(story)
  assertPlaced(story, blocks, EVERYBODY)
  await cluster.volume.update(transaction =>
    transaction.rename({ directory: photos, name: 'a' }, { directory: letters, name: 'a' })
  )
  await cluster.volume.sync()
  await settled(story)
  assertPlaced(story, blocks, ONE_COPY)
})

test('a file with several names has the strongest of their policies', async () => {
  const story = await begin()
  await using cluster = story.cluster
  const { photos, letters } = story
  const [a] = await cluster.write(['a'], { blocks: 20, directory: photos })
  const [b] = await cluster.write(['b'], { blocks: 20, directory: photos })
  const [c] = await cluster.write(['c'], { blocks: 20, directory: photos })
  await cluster.volume.update(async transaction => {
    await transaction.link(letters, 'a', a!)
    await transaction.link(ROOT, 'b', b!)
    await transaction.link(photos, 'c2', c!)
  })
  await cluster.volume.sync()
  await cluster.list({
    policy: TWO_COPIES,
    overrides: new Map([
      [photos, ONE_COPY],
      [letters, EVERYBODY]
    ])
  })
  await settled(story)
  assertPlaced(story, await cluster.blocksOf(a!), EVERYBODY)
  assertPlaced(story, await cluster.blocksOf(b!), TWO_COPIES)
  assertPlaced(story, await cluster.blocksOf(c!), ONE_COPY)
})

test('equal content below two directories has the stronger policy', async () => {
  const story = await begin()
  await using cluster = story.cluster
  const { photos, letters } = story
  await cluster.write(['same'], { blocks: 20, directory: photos })
  const [b] = await cluster.write(['same'], { blocks: 20, directory: letters })
  await cluster.list({ policy: ONE_COPY, overrides: new Map([[letters, EVERYBODY]]) })
  await settled(story)
  const blocks = await cluster.blocksOf(b!)
  assertPlaced(story, blocks, EVERYBODY)
  await cluster.volume.update(transaction => transaction.unlink(letters, 'same'))
  await cluster.volume.sync()
  await settled(story)
  for (const id of blocks) assert.ok(story.alice.held.keeps(id))
})

test('new files are decided without reading the old ones', async () => {
  const story = await begin()
  await using cluster = story.cluster
  const { photos, alice } = story
  const names = Array.from({ length: 30 }, (_, index) => `old ${index}`)
  await cluster.write(names, { blocks: 100, directory: photos })
  await cluster.list({ policy: ONE_COPY, overrides: new Map([[photos, EVERYBODY]]) })
  await settled(story)
  const leaves = [...(await cluster.reachable())].filter(id => id.startsWith('bafy')).length
  assert.ok(leaves > 3)
  const { reads, lookups } = alice.store
  const [a] = await cluster.write(['new'], { blocks: 5, directory: photos })
  await settled(story)
  assertPlaced(story, await cluster.blocksOf(a!), EVERYBODY)
  assert.ok(alice.store.lookups - lookups < 400, `${alice.store.lookups - lookups} lookups`)
  assert.ok(alice.store.reads - reads < 60, `${alice.store.reads - reads} reads`)
})

test.run()
