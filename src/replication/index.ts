/** The door of the replication layer. */
export type { InventoryDifference, InventoryQuestion } from './inventory/compare-inventories.ts'
export type {
  CompareOptions,
  InventoryComparer,
  InventoryComparerComponents
} from './inventory/inventory-comparer.ts'
export { createInventoryComparer } from './inventory/inventory-comparer.ts'
export type { InventoryFilter } from './inventory/inventory-view.ts'
export { Inventory } from './inventory/inventory.ts'
export type { InventoryScope, ServeInventoryComponents } from './inventory/serve-inventory.ts'
export { createInventoryHandler } from './inventory/serve-inventory.ts'
export { REPLICAS_PROTOCOL, createReplicasHandler } from './replicas-protocol.ts'
