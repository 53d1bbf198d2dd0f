/**
 * Owners and holders for tests, in this process, over TCP on the loopback address.
 *
 * Exports: `TIMES`, short ones; `start(options?)`; `join(owner, ...holders)`; `linkBy(volume, via)`;
 * `sameBytes(one, other)`.
 */
import assert from 'node:assert/strict'
import type { VolumeId, Warren, WarrenOptions } from '../../src/index.ts'
import { formatLink } from '../../src/namespace/index.ts'
import { startWarren } from './fixtures.ts'

export const MIB: number = 2 ** 20

/** Days in seconds. */
export const TIMES = { signOfLifeMs: 100, absentMs: 600, graceMs: 1_500 } as const

export function start(options: WarrenOptions = {}): Promise<Warren> {
  return startWarren({ replication: TIMES, ...options })
}

/** Lets others hold the volume of the first. */
export async function join(owner: Warren, ...holders: readonly Warren[]): Promise<void> {
  for (const holder of holders) {
    await holder.replication.pledge({ bytes: 100 * MIB })
    await holder.replication.accept(await owner.replication.invite())
  }
}

/** A link of a whole volume that names these peers only. */
export function linkBy(volume: VolumeId, ...via: readonly Warren[]): string {
  const peers = via.map(peer => ({ id: peer.id, addresses: peer.addresses() }))
  return formatLink({ volume, path: '/', peers })
}

export function sameBytes(one: Uint8Array, other: Uint8Array): void {
  assert.ok(Buffer.from(one.buffer, one.byteOffset, one.length).equals(other))
}

/** A signal that keeps a test from waiting for ever. */
export function soon(ms = 40_000): { readonly timeoutMs: number } {
  return { timeoutMs: ms }
}
