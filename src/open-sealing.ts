/**
 * Finds out whether the own volume is sealed, and with which key. It is decided when the volume is
 * made: of a volume that was not sealed everybody may have had every block.
 */
import { BLOCK_BYTES_MAX, SEALING_BYTES_MAX, Sealing, createReadKey } from './blocks/index.ts'
import type { ReadKey } from './blocks/index.ts'
import type { Parts } from './defaults/parts.ts'
import { WarrenError } from './errors.ts'
import { createVolumeId } from './namespace/index.ts'
import type { WarrenOptions } from './warren.ts'

/** Undefined when it is not sealed. Throws `EINVAL` when it was decided otherwise, or with blocks too large. */
export async function openSealing(
  parts: Pick<Parts, 'readKey' | 'keepReadKey' | 'headStore' | 'volumeKey'>,
  options: Pick<WarrenOptions, 'sealed' | 'blockBytes'>
): Promise<Sealing | undefined> {
  const readKey = await findReadKey(parts, options)
  if (readKey === undefined) return undefined
  const blockBytesMax = BLOCK_BYTES_MAX - SEALING_BYTES_MAX
  if (options.blockBytes !== undefined && options.blockBytes > blockBytesMax) {
    throw refused(`blockBytes is ${options.blockBytes}, ${blockBytesMax} at most when sealed`)
  }
  return new Sealing(readKey)
}

async function findReadKey(
  { readKey, keepReadKey, headStore, volumeKey }: Parameters<typeof openSealing>[0],
  { sealed }: Pick<WarrenOptions, 'sealed'>
): Promise<ReadKey | undefined> {
  if (readKey !== undefined) {
    if (sealed === false) throw refused('the volume is sealed')
    return readKey
  }
  if (sealed !== true) return undefined
  if ((await headStore.get(createVolumeId(volumeKey.publicKey))) !== undefined) {
    throw refused('the volume is not sealed, or its read key is lost')
  }
  const made = createReadKey()
  // Before anything is sealed with it.
  await keepReadKey(made)
  return made
}

function refused(message: string): WarrenError {
  return new WarrenError('EINVAL', { message })
}
