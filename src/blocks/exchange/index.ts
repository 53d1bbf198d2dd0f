/** The door of the block exchange. */
export type {
  BlockExchange,
  BlockExchangeComponents,
  BlockExchangeEvents,
  BlockExchangeOptions
} from './exchange.ts'
export { createBlockExchange } from './exchange.ts'
export { SUBTREE_DEPTH_MAX } from './limits.ts'
export { BLOCKS_PROTOCOL } from './messages.ts'
export type { LinksWithin } from './messages.ts'
export type { BlockSession, BlockSessionOptions } from './session.ts'
export type { Transfer } from './transfers.ts'
export type { SubtreeOptions } from './subtree-reader.ts'
