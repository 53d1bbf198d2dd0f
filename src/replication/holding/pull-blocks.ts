/**
 * Gets many blocks at once, within a window of bytes, each for itself: one that nobody has does not
 * stop the others. They are asked for a quarter of the window at a time, so that they make few wants.
 */
import type { BlockId } from '../../blocks/index.ts'
import { BLOCK_BYTES_GUESS, PULL_BLOCKS_MAX, PULL_WINDOW_BYTES } from './limits.ts'

export interface Wanted {
  /** The number of the block. */
  readonly block: number
  readonly id: BlockId
  /** Its size; 0: not known. */
  readonly bytes: number
}

export interface PullComponents {
  /** The next block to get. Undefined: none for now; it is asked again when one that is under way has come. */
  readonly next: () => Wanted | undefined
  /** Called before a few blocks are got. */
  readonly prepare: (wanted: readonly Wanted[]) => Promise<void>
  readonly get: (wanted: Wanted) => Promise<Uint8Array>
  /** The window moves on when it resolves. What it throws ends everything. */
  readonly onBlock: (wanted: Wanted, bytes: Uint8Array) => Promise<void> | void
  /** It could not be got. What it throws ends everything. */
  readonly onFailure: (wanted: Wanted, error: unknown) => void
}

/** Resolves when `next` has nothing more and nothing is under way; also when it throws nothing is. */
export async function pullBlocks(components: PullComponents): Promise<void> {
  await new Pull(components).run()
}

class Pull {
  readonly #components: PullComponents
  #waiting = 0
  #waitingBytes = 0
  #blockBytes = BLOCK_BYTES_GUESS
  #failed: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(components: PullComponents) {
    this.#components = components
  }

  async run(): Promise<void> {
    while (this.#failed === undefined) {
      const wanted = this.#admit()
      if (wanted.length === 0) {
        if (this.#waiting === 0) return
        await this.#change()
        continue
      }
      await this.#begin(wanted)
      while (this.#failed === undefined && !this.#hasRoom()) await this.#change()
    }
    while (this.#waiting > 0) await this.#change()
    throw this.#failed.error
  }

  #admit(): Wanted[] {
    const wanted: Wanted[] = []
    while (this.#waiting < PULL_BLOCKS_MAX && this.#waitingBytes < PULL_WINDOW_BYTES) {
      const next = this.#components.next()
      if (next === undefined) break
      const bytes = next.bytes === 0 ? this.#blockBytes : next.bytes
      wanted.push({ ...next, bytes })
      this.#waiting++
      this.#waitingBytes += bytes
    }
    return wanted
  }

  async #begin(wanted: readonly Wanted[]): Promise<void> {
    try {
      await this.#components.prepare(wanted)
    } catch (error) {
      this.#failed ??= { error }
      for (const each of wanted) this.#done(each)
      return
    }
    for (const each of wanted) void this.#get(each)
  }

  /** Never rejects. */
  async #get(wanted: Wanted): Promise<void> {
    try {
      const bytes = await this.#fetch(wanted)
      if (bytes !== undefined && this.#failed === undefined) {
        this.#blockBytes += (bytes.length - this.#blockBytes) / 16
        await this.#components.onBlock(wanted, bytes)
      }
    } catch (error) {
      this.#failed ??= { error }
    }
    this.#done(wanted)
  }

  async #fetch(wanted: Wanted): Promise<Uint8Array | undefined> {
    try {
      return await this.#components.get(wanted)
    } catch (error) {
      if (this.#failed === undefined) this.#components.onFailure(wanted, error)
      return undefined
    }
  }

  #done({ bytes }: Wanted): void {
    this.#waiting--
    this.#waitingBytes -= bytes
    this.#wake?.()
  }

  #hasRoom(): boolean {
    const most = (3 / 4) * PULL_WINDOW_BYTES
    return this.#waiting <= (3 / 4) * PULL_BLOCKS_MAX && this.#waitingBytes <= most
  }

  async #change(): Promise<void> {
    await new Promise<void>(resolve => (this.#wake = resolve))
    this.#wake = undefined
  }
}
