export { collectWhilePassing } from './collecting.ts'
export { nodePrimitives } from './primitives.ts'
