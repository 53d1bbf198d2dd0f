/** Blocks that two processes can make alike from a number, from 0 to about 20,000 bytes. */
import { hash } from 'node:crypto'
import { createBlock } from '../../../src/blocks/index.ts'
import type { Block } from '../../../src/blocks/index.ts'

export function numberedBlock(number: number): Promise<Block> {
  const noise = hash('sha512', String(number), 'buffer')
  const length = Math.floor(20_000 * (noise[0]! / 255) ** 3)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = noise[at % 64]! ^ (at >> 6)
  return createBlock(number % 3 === 0 ? 'dag-cbor' : 'raw', concatNumber(bytes, number))
}

function concatNumber(bytes: Uint8Array, number: number): Uint8Array {
  const all = new Uint8Array(bytes.length + 4)
  all.set(bytes)
  new DataView(all.buffer).setUint32(bytes.length, number)
  return all
}
