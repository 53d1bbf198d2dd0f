/** Tree nodes made by hand. */
import { blockIdToBytes } from '../../../src/blocks/index.ts'
import type { BlockId } from '../../../src/blocks/index.ts'

/** A node with these links, fewer than 24, and a body that says nothing. */
export function encodeNodeOf(links: readonly BlockId[]): Uint8Array {
  const bytes = [0x83, 1, 0x80 + links.length]
  for (const link of links) bytes.push(0xd8, 0x2a, 0x58, 0x25, 0, ...blockIdToBytes(link))
  return Uint8Array.from([...bytes, 0x40])
}
