export { collectWhilePassing, collectYoung } from './collecting.ts'
export { nodePrimitives } from './primitives.ts'
