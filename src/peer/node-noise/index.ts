export { nodePrimitives } from './primitives.ts'
