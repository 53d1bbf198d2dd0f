/**
 * Reads what a peer remembers of replication, as it comes from JSON: text that a person may have
 * edited, so that nothing of it is believed. Fields that we do not know are left out.
 */
import { parseBlockId } from '../blocks/index.ts'
import { parseVolumeId } from '../namespace/index.ts'
import { isPeerId } from '../peer/index.ts'
import type { PeerId } from '../peer/index.ts'
import { isCount, isZone } from './holders/limits.ts'
import { isShare } from './holders/shares.ts'
import type {
  DistrustRecord,
  HeldRecord,
  InvitationRecord,
  PledgeRecord,
  ReplicationRecord
} from './replication-store.ts'

/** More than anybody meets; the record is one file that is written whole. */
export const DISTRUSTED_MAX = 4096

export function emptyReplicationRecord(): ReplicationRecord {
  return { pledge: { bytes: 0, zone: '', to: [] }, held: [], invitations: [], distrusted: [] }
}

type Fields = Readonly<Record<string, unknown>>

/** Throws an `Error` that says what is wrong. */
export function readReplicationRecord(value: unknown): ReplicationRecord {
  const { pledge, held, invitations, distrusted } = fields(value)
  return {
    pledge: readPledge(fields(pledge)),
    held: list(held).map(record => readHeld(fields(record))),
    invitations: list(invitations).map(record => readInvitation(fields(record))),
    distrusted: readDistrusted(distrusted)
  }
}

function readPledge({ bytes, zone, to }: Fields): PledgeRecord {
  return { bytes: count(bytes), zone: readZone(zone), to: list(to).map(peer) }
}

function readHeld(record: Fields): HeldRecord {
  const { volume, owner, addresses, pledgeBytes, zone, leaving, share, holds } = record
  if (typeof leaving !== 'boolean') throw new Error('leaving is no boolean')
  return {
    volume: parseVolumeId(text(volume)),
    owner: peer(owner),
    addresses: list(addresses).map(text),
    pledgeBytes: count(pledgeBytes),
    zone: readZone(zone),
    leaving,
    ...(share === undefined ? {} : { share: readShare(share) }),
    ...(holds === undefined ? {} : { holds: readHolds(fields(holds)) })
  }
}

function readHolds({ sequence, root }: Fields): NonNullable<HeldRecord['holds']> {
  return { sequence: count(sequence), root: parseBlockId(text(root)) }
}

function readShare(value: unknown): number {
  const share = count(value)
  if (!isShare(share)) throw new Error('not a share')
  return share
}

/** 16 bytes are 128 bits: 26 characters of five. */
const TOKEN = /^[a-z2-7]{26}$/

function readInvitation({ token, untilMs }: Fields): InvitationRecord {
  if (!TOKEN.test(text(token))) throw new Error('a token that is none')
  return { token: text(token), untilMs: count(untilMs) }
}

/** A record of before anybody was remembered has none. */
function readDistrusted(value: unknown): DistrustRecord[] {
  const records = value === undefined ? [] : list(value)
  if (records.length > DISTRUSTED_MAX) throw new Error(`over ${DISTRUSTED_MAX} are distrusted`)
  return records.map(record => readDistrust(fields(record)))
}

function readDistrust({ volume, holder, reason, sinceMs }: Fields): DistrustRecord {
  if (reason !== 'lacking' && reason !== 'unproven') throw new Error('distrust without a reason')
  return {
    volume: parseVolumeId(text(volume)),
    holder: peer(holder),
    reason,
    sinceMs: count(sinceMs)
  }
}

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('not a record')
  }
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text')
  return value
}

function count(value: unknown): number {
  if (!isCount(value)) throw new Error('not a count')
  return value
}

function peer(value: unknown): PeerId {
  const id = text(value)
  if (!isPeerId(id)) throw new Error('not the id of a peer')
  return id
}

function readZone(value: unknown): string {
  if (!isZone(value)) throw new Error('not a zone')
  return value
}
