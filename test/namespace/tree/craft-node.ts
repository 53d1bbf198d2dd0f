/** Builds nodes by hand, with a general encoder and no checks: for format and hostility tests. */
import { Token, Type, encode } from 'cborg'
import type { Block, BlockId } from '../../../src/blocks/index.ts'
import { blockIdToBytes, createBlock } from '../../../src/blocks/index.ts'

/** A link as dag-cbor writes it. */
export class CraftedLink {
  readonly id: BlockId

  constructor(id: BlockId) {
    this.id = id
  }
}

function linkTokens(value: unknown): Token[] | null {
  if (!(value instanceof CraftedLink)) return null
  const bytes = new Uint8Array([0, ...blockIdToBytes(value.id)])
  return [new Token(Type.tag, 42), new Token(Type.bytes, bytes)]
}

export function craft(value: unknown): Uint8Array {
  return new Uint8Array(encode(value, { typeEncoders: { Object: linkTokens } }))
}

/** A node of any body, with links to `ids`. */
export function craftNode(ids: readonly BlockId[], body: unknown): Uint8Array {
  return craft([1, ids.map(id => new CraftedLink(id)), craft(body)])
}

/** A leaf with these keys and values and nothing linked. */
export function craftLeaf(entries: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  return craftNode([], [0, entries.flat(), []])
}

export function craftInner(
  level: number,
  ids: readonly BlockId[],
  separators: readonly Uint8Array[]
): Uint8Array {
  return craftNode(ids, [level, separators])
}

export function nodeBlock(bytes: Uint8Array): Promise<Block> {
  return createBlock('dag-cbor', bytes)
}
