/** Both platforms in one process, and content of several kinds. */
import { createWebCipher } from '../../../src/blocks/encoding/web-cipher.ts'
import { createWebDeflate } from '../../../src/blocks/encoding/web-compression.ts'
import { platformCipher, platformCompressions } from '../../../src/blocks/encoding/platform.ts'
import type { SealingComponents } from '../../../src/blocks/encoding/sealing.ts'
import { createRandom } from '../exchange/exchange-fixtures.ts'

export const here: SealingComponents = {
  cipher: platformCipher,
  compressions: platformCompressions
}

export const browser: SealingComponents = {
  cipher: createWebCipher(),
  compressions: [createWebDeflate()]
}

export function noise(length: number, seed = 1): Uint8Array {
  const random = createRandom(seed)
  return Uint8Array.from({ length }, () => random() * 256)
}

/** Compressible, and not merely one byte repeated. */
export function prose(length: number, seed = 1): Uint8Array {
  const random = createRandom(seed)
  const words = ['warren', 'burrow', 'of', 'the', 'rabbit', 'clover', 'and', 'hedge', 'runs']
  let text = ''
  while (text.length < length) text += `${words[Math.floor(random() * words.length)]} `
  return new TextEncoder().encode(text.slice(0, length))
}
