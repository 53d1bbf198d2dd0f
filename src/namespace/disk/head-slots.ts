/**
 * The file of one volume's head: two slots that are written in turn, so that the last good head is
 * never touched while the next one is written. A write that a crash tore, or a slot that rotted,
 * leaves the other slot to read.
 *
 *     0     slot A      each slot:  bytes(4)   magic "whd1"
 *     4096  slot B                  u16        length of the record, big endian
 *     8192  end                     bytes      the head record (head-record.ts)
 *                                   bytes(32)  sha-256 of all before
 *
 * A slot has a file-system block to itself, because a disk may tear or lose whole blocks. Bytes
 * after the checksum mean nothing. The head that counts is the newest in a valid slot.
 */
import { hash } from 'node:crypto'
import { HEAD_BYTES_MAX, decodeHead } from '../heads/head-record.ts'
import { supersedes } from '../heads/head-order.ts'
import type { SignedHead, VolumeId } from '../heads/head.ts'

/** The block size of common file systems and the sector size of common disks. */
export const SLOT_BYTES = 4096
export const SLOTS = 2

const MAGIC: Uint8Array = new TextEncoder().encode('whd1')
const LENGTH_BYTES = 2
const CHECKSUM_BYTES = 32
const RECORD_OFFSET = MAGIC.length + LENGTH_BYTES

export interface Slot {
  readonly index: number
  readonly head: SignedHead
}

/** What to write at the start of a slot. */
export function encodeSlot(head: SignedHead): Uint8Array {
  const end = RECORD_OFFSET + head.bytes.length
  const bytes = new Uint8Array(end + CHECKSUM_BYTES)
  bytes.set(MAGIC)
  new DataView(bytes.buffer).setUint16(MAGIC.length, head.bytes.length)
  bytes.set(head.bytes, RECORD_OFFSET)
  bytes.set(checksum(bytes.subarray(0, end)), end)
  return bytes
}

/** The slot that counts in the bytes of a volume's file; undefined when there is none. */
export function findNewestSlot(file: Uint8Array, volume: VolumeId): Slot | undefined {
  let newest: Slot | undefined
  for (let index = 0; index < SLOTS; index++) {
    const head = decodeSlot(file.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES))
    if (head?.volume === volume && supersedes(head, newest?.head)) newest = { index, head }
  }
  return newest
}

function decodeSlot(slot: Uint8Array): SignedHead | undefined {
  if (slot.length < RECORD_OFFSET || !startsWith(slot, MAGIC)) return undefined
  const view = new DataView(slot.buffer, slot.byteOffset, slot.byteLength)
  const length = view.getUint16(MAGIC.length)
  const end = RECORD_OFFSET + length
  if (length > HEAD_BYTES_MAX || slot.length < end + CHECKSUM_BYTES) return undefined
  if (!startsWith(slot.subarray(end), checksum(slot.subarray(0, end)))) return undefined
  try {
    return decodeHead(slot.subarray(RECORD_OFFSET, end))
  } catch {
    return undefined
  }
}

function checksum(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, index) => bytes[index] === byte)
}
