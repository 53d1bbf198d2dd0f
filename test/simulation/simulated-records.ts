/** The other stores of a simulated machine: heads, holder lists and what is written as a whole. */
import { WarrenError } from '../../src/errors.ts'
import { requireNewer } from '../../src/namespace/heads/head-order.ts'
import type { HeadStore, SignedHead, VolumeId } from '../../src/namespace/index.ts'
import { supersedesHolderList } from '../../src/replication/index.ts'
import type { HolderList, HolderListStore } from '../../src/replication/index.ts'
import type { DiskProcess } from './simulated-disk.ts'

/** One value a volume, each replaced as a whole, one change at a time. */
class VolumeRecords<Value> {
  readonly #process: DiskProcess
  readonly #kind: string
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(process: DiskProcess, kind: string) {
    this.#process = process
    this.#kind = `${kind} `
  }

  async get(volume: VolumeId): Promise<Value | undefined> {
    this.#check()
    await this.#process.read()
    return this.#now(volume)
  }

  /** Replaces it by what `choose` makes of the one that is there; false when that is undefined. */
  change(
    volume: VolumeId,
    choose: (now: Value | undefined) => Value | undefined
  ): Promise<boolean> {
    return this.#inTurn(async () => {
      const next = choose(this.#now(volume))
      if (next === undefined) return false
      await this.#process.replaceRecord(this.#kind + volume, next)
      return true
    })
  }

  async volumes(): Promise<VolumeId[]> {
    this.#check()
    await this.#process.read()
    const names = [...this.#process.disk.records.keys()]
    return names.flatMap(name =>
      name.startsWith(this.#kind) ? [name.slice(this.#kind.length) as VolumeId] : []
    )
  }

  async delete(volume: VolumeId): Promise<void> {
    await this.#inTurn(() => this.#process.replaceRecord(this.#kind + volume, undefined))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#last
  }

  #now(volume: VolumeId): Value | undefined {
    return this.#process.disk.records.get(this.#kind + volume) as Value | undefined
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#check()
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return await turn
  }

  #check(): void {
    if (this.#closed) throw new WarrenError('EBADF', { message: 'the store is closed' })
  }
}

export class SimulatedHeadStore extends VolumeRecords<SignedHead> implements HeadStore {
  constructor(process: DiskProcess) {
    super(process, 'head')
  }

  compareAndSet(expected: number | undefined, next: SignedHead): Promise<boolean> {
    return this.change(next.volume, now => {
      if (now?.sequence !== expected) return undefined
      requireNewer(next, now)
      return next
    })
  }
}

export class SimulatedHolderListStore extends VolumeRecords<HolderList> implements HolderListStore {
  constructor(process: DiskProcess) {
    super(process, 'list')
  }

  put(next: HolderList): Promise<boolean> {
    return this.change(next.volume, now => (supersedesHolderList(next, now) ? next : undefined))
  }
}

/** A store of one record that is loaded and saved whole. */
export interface RecordStore<Value> {
  load(): Promise<Value>
  save(value: Value): Promise<void>
}

export function createRecordStore<Value>(
  process: DiskProcess,
  name: string,
  empty: () => Value
): RecordStore<Value> {
  let last: Promise<unknown> = Promise.resolve()
  return {
    async load() {
      await process.read()
      return structuredClone((process.disk.records.get(name) as Value | undefined) ?? empty())
    },
    async save(value) {
      const copy = structuredClone(value)
      const turn = last.then(() => process.replaceRecord(name, copy))
      last = turn.catch(() => {})
      await turn
    }
  }
}
