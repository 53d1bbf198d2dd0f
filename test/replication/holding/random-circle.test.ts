import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { InodeNumber } from '../../../src/namespace/index.ts'
import { createRandom } from '../replicas-fixtures.ts'
import { Cluster, EVERYBODY, ONE_COPY, TWO_COPIES, idsIn } from './cluster.ts'
import type { HolderMember } from './cluster.ts'

const test = suite('held volumes through whatever happens')

const ROOT = 1 as InodeNumber
const POLICIES = [ONE_COPY, TWO_COPIES, EVERYBODY]

class Story {
  readonly cluster: Cluster
  readonly #random: () => number
  readonly #away = new Set<HolderMember>()
  readonly #files: string[] = []
  #policy = TWO_COPIES
  readonly log: string[] = []

  constructor(cluster: Cluster, seed: number) {
    this.cluster = cluster
    this.#random = createRandom(seed)
  }

  async step(index: number): Promise<void> {
    const { cluster } = this
    const dice = Math.floor(this.#random() * 8)
    const holder = this.#pick(cluster.holders)
    this.log.push(`${dice} ${holder.name}`)
    if (dice <= 1) {
      this.#files.push(`file ${index}`)
      await cluster.write([`file ${index}`], { blocks: 1 + Math.floor(this.#random() * 12) })
    } else if (dice === 2 && this.#files.length > 2) {
      const [name] = this.#files.splice(Math.floor(this.#random() * this.#files.length), 1)
      await cluster.volume.update(transaction => transaction.unlink(ROOT, name!))
      await cluster.volume.sync()
    } else if (dice === 3) {
      this.#policy = this.#pick(POLICIES)
      await cluster.list({ policy: this.#policy })
    } else if (dice === 4 && this.#away.size === 0) {
      this.#away.add(holder)
      cluster.leave(holder)
    } else if (dice === 5) {
      await this.bringBack()
    } else if (dice === 6 && !this.#away.has(holder)) {
      await this.#restart(holder)
    } else if (dice === 7) {
      await this.collect(holder)
    }
    await new Promise(resolve => setTimeout(resolve, this.#random() * 30))
  }

  async bringBack(): Promise<void> {
    for (const holder of this.#away) await this.cluster.return(holder)
    this.#away.clear()
  }

  async collect({ store, held }: HolderMember): Promise<void> {
    await store.collect({ inFlight: () => [], live: async () => [], inPart: () => [held] })
  }

  /** Everybody has what it should have, also after collection, and nothing is only said to be there. */
  async check(): Promise<void> {
    const { cluster } = this
    for (const holder of cluster.holders) {
      await cluster.until(holder)
      await this.collect(holder)
    }
    for (const holder of cluster.holders) {
      const stored = await idsIn(holder.store)
      const part = await cluster.partOf(holder, this.#policy)
      for (const id of part) {
        assert.ok(holder.held.has(id), `${holder.name} has ${id}`)
        assert.ok(stored.has(id), `${holder.name} stores ${id}`)
      }
      const reachable = await cluster.reachable()
      for (const id of reachable) {
        assert.equal(holder.held.inventory.has(id), holder.held.keeps(id))
        if (holder.held.keeps(id)) assert.ok(stored.has(id), `${holder.name} keeps ${id}`)
      }
      assert.equal(holder.held.report.missingBlocks, 0)
    }
  }

  async #restart(holder: HolderMember): Promise<void> {
    const { name, key, store, holds } = holder
    const held = holds.at(-1)
    await this.cluster.stop(holder)
    const again = await this.cluster.addHolder(name, { key, store, ...(held && { held }) })
    again.holds.push(...holds)
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!
  }
}

for (const seed of [1, 2, 3]) {
  test(`everybody comes to have its part (seed ${seed})`, async () => {
    await using cluster = await Cluster.create()
    await cluster.write(['first'], { blocks: 30 })
    for (const name of ['alice', 'bob', 'carol']) await cluster.addHolder(name)
    await cluster.list()
    const story = new Story(cluster, seed)
    try {
      for (let index = 0; index < 40; index++) await story.step(index)
      await story.bringBack()
      await story.check()
    } catch (cause) {
      throw new Error(`seed ${seed}: ${story.log.join(', ')}`, { cause })
    }
  })
}

test.run()
