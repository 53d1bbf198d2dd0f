/** The door of the replication layer. */
export type { Holder, HolderList, HolderListFields, HolderState } from './holders/holder-list.ts'
export { decodeHolderList, encodeHolderList } from './holders/holder-list-record.ts'
export { isHolderListFork, supersedesHolderList } from './holders/holder-list-order.ts'
export type { HolderListStore } from './holders/holder-list-store.ts'
export {
  HOLDERS_MAX,
  HOLDER_LIST_BYTES_MAX,
  ON_MAX,
  ON_TOTAL_MAX,
  OVERRIDES_MAX,
  ZONE_BYTES_MAX
} from './holders/limits.ts'
export { createMemoryHolderListStore } from './holders/memory-holder-list-store.ts'
export type { Policies, Policy } from './holders/policy.ts'
export { policyFor, strongerPolicy } from './holders/policy.ts'
export type { Assignment } from './placement/assignment.ts'
export type { Holders, Placement } from './placement/placement.ts'
export { createPlacement, placeBlock } from './placement/placement.ts'
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
export type { AuditOptions, AuditReport, Auditor, AuditorComponents } from './audit/auditor.ts'
export { createAuditor } from './audit/auditor.ts'
export type { ServeAuditComponents } from './audit/serve-audit.ts'
export { createAuditHandler } from './audit/serve-audit.ts'
export type { AddressBook, AddressRecord, AddressStore } from './addresses/address-store.ts'
export { createMemoryAddressStore } from './addresses/address-store.ts'
export type { AddressesOf } from './circle/address-book.ts'
export { createAddressBook } from './circle/address-book.ts'
export type { Circle, CircleEvents, Circles, OpenCircleOptions, Presence } from './circle/circle.ts'
export type { CirclesComponents, CirclesOptions } from './circle/create-circles.ts'
export { createCircles } from './circle/create-circles.ts'
export { askHas } from './circle/ask-has.ts'
export { callInvite, callJoin, callLeave, callPledge } from './circle/call-membership.ts'
export type {
  About,
  InviteAnswer,
  InviteRequest,
  JoinRequest,
  LeaveRequest
} from './circle/membership-messages.ts'
export type { ServeHasComponents } from './circle/serve-has.ts'
export { createHasHandler } from './circle/serve-has.ts'
export type {
  MembershipDecisions,
  MembershipVerbs,
  ServeMembershipComponents
} from './circle/serve-membership.ts'
export { createMembershipHandlers } from './circle/serve-membership.ts'
export type { HolderProgress, HolderReport } from './circle/holder-report.ts'
export type { AskHas } from './holding/confirm-blocks.ts'
export type { Version as HeldVersion } from './holding/held-versions.ts'
export type { HeldVolume, HeldVolumeEvents } from './holding/held-volume.ts'
export type { HeldVolumeComponents, HeldVolumeOptions } from './holding/open-held-volume.ts'
export { openHeldVolume } from './holding/open-held-volume.ts'
export type { Pace } from './holding/pace.ts'
export type { ReplicationComponents } from './create-replication.ts'
export { openReplication } from './create-replication.ts'
export type { FindHoldersQuestion, HolderSearch } from './readers/find-holders.ts'
export type { PeerReplication } from './peer-replication.ts'
export type { ReplicationOptions } from './replication-options.ts'
export { createMemoryReplicationStore } from './memory-replication-store.ts'
export type {
  HeldRecord,
  InvitationRecord,
  PledgeRecord,
  ReplicationRecord,
  ReplicationStore
} from './replication-store.ts'
export type {
  Amount,
  FolderStatus,
  HeldStatus,
  HolderStatus,
  PledgeOptions,
  PledgeReport,
  Replication,
  ReplicationEvents,
  ReplicationStatus,
  WaitOptions
} from './replication.ts'
export type { ScrubRecord, ScrubStore } from './scrub/scrub-record.ts'
export type {
  ScrubPass,
  Scrubber,
  ScrubberComponents,
  ScrubberEvents,
  ScrubberOptions
} from './scrub/scrubber.ts'
export { createScrubber } from './scrub/scrubber.ts'
export type {
  AuditFailure,
  AuditRounds,
  AuditRoundsComponents,
  AuditRoundsEvents,
  AuditRoundsOptions,
  PartQuestion
} from './audit-rounds/audit-rounds.ts'
export { createAuditRounds } from './audit-rounds/create-audit-rounds.ts'
export type { Distrust, DistrustReason } from './audit-rounds/distrust.ts'
export type {
  CheckCounts,
  CheckOptions,
  CheckProblem,
  CheckProgress,
  CheckReport,
  ProblemKind
} from './check/check-report.ts'
export type { CheckComponents } from './check/check-volume.ts'
export { checkVolume } from './check/check-volume.ts'
export type { CopiesOf, CopyCount, PlacedBlock } from './check/copies-check.ts'
export { LOST_AND_FOUND } from './check/structure-repair.ts'
