/**
 * Remembers whom audits found wanting, so that a restart does not count its copies again. It is
 * forgotten when the holder has proven enough, or is not listed, or the volume not held any more.
 */
import type { VolumeId } from '../namespace/index.ts'
import type { PeerId } from '../peer/index.ts'
import type { Distrust } from './audit-rounds/distrust.ts'
import type { KeptRecord } from './kept-record.ts'
import { DISTRUSTED_MAX } from './replication-record.ts'

export class KeptDistrust {
  readonly #record: KeptRecord
  readonly #own: VolumeId

  constructor(record: KeptRecord, own: VolumeId) {
    this.#record = record
    this.#own = own
  }

  of(volume: VolumeId): Distrust[] {
    return this.#record.now.distrusted.filter(distrust => distrust.volume === volume)
  }

  find(volume: VolumeId, holder: PeerId): Distrust | undefined {
    return this.of(volume).find(distrust => distrust.holder === holder)
  }

  /** Resolves when it survives a crash. The oldest go first when there are too many. */
  async remember(volume: VolumeId, distrusted: readonly Distrust[]): Promise<void> {
    await this.#record.change(before => {
      const isOurs = volume === this.#own || before.held.some(held => held.volume === volume)
      const others = before.distrusted.filter(distrust => distrust.volume !== volume)
      const added = isOurs ? distrusted.map(distrust => ({ volume, ...distrust })) : []
      return { ...before, distrusted: [...others, ...added].slice(-DISTRUSTED_MAX) }
    })
  }
}
