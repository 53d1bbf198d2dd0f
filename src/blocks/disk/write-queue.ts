/**
 * Everything that changes the log, one after the other in the order of the calls.
 *
 * Calls that come while a write is under way are gathered into the next one: many small puts at
 * once cost few large writes. Nothing is copied while it waits, and a put resolves only when it is
 * written, so a caller that awaits its puts is held to the pace of the disk.
 */
import type { Appender } from './appender.ts'
import type { BlockLog } from './block-log.ts'
import type { BatchRecord } from './record-batch.ts'
import { blockKind, removedKind } from './segment-format.ts'
import type { BlockId } from '../block-id.ts'
import { isWarrenError } from '../../errors.ts'

/** The same id in both forms, so that neither is made twice. */
export interface BlockName {
  readonly name: BlockId
  readonly id: Uint8Array
}

export interface NewBlock extends BlockName {
  readonly bytes: Uint8Array
}

type Work =
  | { readonly kind: 'put'; readonly blocks: readonly NewBlock[] }
  | { readonly kind: 'remove'; readonly names: readonly BlockName[] }
  | { readonly kind: 'alone'; readonly work: () => Promise<void> }

type Task<Kind extends Work['kind'] = Work['kind']> = Extract<Work, { kind: Kind }> &
  PromiseWithResolvers<void>

const NO_BYTES = new Uint8Array(0)

export class WriteQueue {
  readonly #log: BlockLog
  readonly #appender: Appender
  #tasks: Task[] = []
  #isRunning = false
  /** Removals that a full disk had no room for; they are written before anything else. */
  #unwritten: BatchRecord[] = []

  constructor(log: BlockLog, appender: Appender) {
    this.#log = log
    this.#appender = appender
  }

  put(blocks: readonly NewBlock[]): Promise<void> {
    return this.#push({ kind: 'put', blocks })
  }

  /** On a full disk blocks are removed all the same; only a crash would bring them back. */
  remove(names: readonly BlockName[]): Promise<void> {
    return this.#push({ kind: 'remove', names })
  }

  /** Runs while nothing else changes the log, and after all that was called before. */
  alone(work: () => Promise<void>): Promise<void> {
    return this.#push({ kind: 'alone', work })
  }

  #push(work: Work): Promise<void> {
    const task = { ...work, ...Promise.withResolvers<void>() }
    this.#tasks.push(task)
    if (!this.#isRunning) void this.#run()
    return task.promise
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // Calls of the same turn are gathered too.
    await Promise.resolve()
    while (this.#tasks.length > 0) {
      const tasks = this.#tasks
      this.#tasks = []
      await this.#runAll(tasks)
    }
    this.#isRunning = false
  }

  async #runAll(tasks: readonly Task[]): Promise<void> {
    for (let from = 0, to = 0; from < tasks.length; from = to) {
      const { kind } = tasks[from]!
      while (to < tasks.length && tasks[to]!.kind === kind) to++
      const group = tasks.slice(from, to)
      if (kind === 'put') await this.#putAll(group as Task<'put'>[])
      else if (kind === 'remove') await this.#removeAll(group as Task<'remove'>[])
      else for (const task of group as Task<'alone'>[]) await runAlone(task)
    }
  }

  async #putAll(tasks: readonly Task<'put'>[]): Promise<void> {
    const puts = new GatheredPuts(this.#appender)
    for (const task of tasks) {
      puts.begin(task)
      try {
        await this.#writeUnwritten()
        await this.#gather(task.blocks, puts)
      } catch (error) {
        puts.fail(error)
      }
    }
    await puts.flush().catch(error => puts.fail(error))
  }

  async #gather(blocks: readonly NewBlock[], puts: GatheredPuts): Promise<void> {
    for (const { name, id, bytes } of blocks) {
      if (this.#log.has(id) || puts.names.has(name)) continue
      const records = [{ id, kind: blockKind(id), target: 0, bytes }]
      // Of a damaged block the old record must not come back once the new one is removed.
      if (this.#log.table.has(id)) records.unshift(this.#removalOf(id))
      for (const record of records) {
        // Not awaited where that can be helped: it would cost more than adding a small block.
        if (!this.#appender.hasRoomFor(record)) await puts.makeRoom(record)
        this.#appender.add(record)
      }
      puts.names.add(name)
    }
  }

  async #removeAll(tasks: readonly Task<'remove'>[]): Promise<void> {
    const records = new Map<BlockId, BatchRecord>()
    for (const { name, id } of tasks.flatMap(task => task.names)) {
      if (this.#log.table.has(id)) records.set(name, this.#removalOf(id))
    }
    try {
      await this.#writeUnwritten()
      await this.#write([...records.values()])
    } catch (error) {
      if (!isWarrenError(error, 'ENOSPC')) {
        for (const task of tasks) task.reject(error)
        return
      }
      this.#removeUnwritten(records.values())
    }
    for (const task of tasks) task.resolve()
  }

  /** A full disk must not keep anyone from making room on it. */
  #removeUnwritten(records: Iterable<BatchRecord>): void {
    for (const record of records) {
      if (this.#log.removePlace(record.id) !== undefined) this.#unwritten.push(record)
    }
  }

  async #writeUnwritten(): Promise<void> {
    if (this.#unwritten.length === 0) return
    await this.#write(this.#unwritten)
    this.#unwritten = []
  }

  async #write(records: readonly BatchRecord[]): Promise<void> {
    try {
      for (const record of records) {
        if (!this.#appender.hasRoomFor(record)) await this.#appender.makeRoom(record)
        this.#appender.add(record)
      }
      await this.#appender.flush()
    } finally {
      this.#appender.abandon()
    }
  }

  #removalOf(id: Uint8Array): BatchRecord {
    const target = this.#log.table.get(id)!.container
    return { id, kind: removedKind(id), target, bytes: NO_BYTES }
  }
}

/** The puts that have records in the appender's batch: they succeed or fail with it. */
class GatheredPuts {
  /** What is in the batch and not in the table yet. */
  readonly names: Set<BlockId> = new Set()
  readonly #appender: Appender
  #waiting: Task<'put'>[] = []

  constructor(appender: Appender) {
    this.#appender = appender
  }

  begin(task: Task<'put'>): void {
    this.#waiting.push(task)
  }

  /** The last task is not done: it is what the room is for. */
  async makeRoom(record: BatchRecord): Promise<void> {
    const last = this.#waiting.pop()!
    await this.flush().finally(() => this.#waiting.push(last))
    await this.#appender.makeRoom(record)
  }

  async flush(): Promise<void> {
    await this.#appender.flush()
    this.names.clear()
    for (const task of this.#waiting) task.resolve()
    this.#waiting = []
  }

  fail(error: unknown): void {
    this.#appender.abandon()
    this.names.clear()
    for (const task of this.#waiting) task.reject(error)
    this.#waiting = []
  }
}

async function runAlone(task: Task<'alone'>): Promise<void> {
  try {
    await task.work()
    task.resolve()
  } catch (error) {
    task.reject(error)
  }
}
