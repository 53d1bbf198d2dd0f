/** Floors: what the machine gives without us, measured in the same run as the workloads. */
import { hash, randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { Timed } from './bench-peer.ts'
import type { Workload } from './workloads.ts'

const MIB = 1024 * 1024

const sha256: Workload = async ({ figures }) => {
  for (const bytes of [64 * 1024, MIB]) {
    const buffer = randomFillSync(new Uint8Array(bytes))
    const rounds = (128 * MIB) / bytes
    const began = performance.now()
    for (let round = 0; round < rounds; round++) hash('sha256', buffer, 'buffer')
    const seconds = (performance.now() - began) / 1000
    figures.add(`floor: sha256 of ${bytes / 1024} KiB`, 'MiB/s', 128 / seconds)
  }
}

const disk: Workload = async ({ directory, sizes, figures }) => {
  const buffer = randomFillSync(new Uint8Array(MIB))
  const began = performance.now()
  const file = openSync(join(directory, 'written.bin'), 'w')
  for (let written = 0; written < sizes.fileMiB; written++) writeSync(file, buffer)
  const seconds = (performance.now() - began) / 1000
  fsyncSync(file)
  closeSync(file)
  figures.add('floor: plain writes of 1 MiB', 'MiB/s', sizes.fileMiB / seconds)
}

/** A raw TCP connection and a libp2p stream under noise, memory to memory between two processes. */
const streams: Workload = async ({ sizes, figures, flags }) => {
  const options = { callMsMax: 120_000, flags }
  const module = new URL('floor-peer.ts', import.meta.url)
  await using sender = await spawnPeer(module, [], options)
  await using receiver = await spawnPeer(module, [], options)
  for (const kind of ['tcp', 'noise'] as const) {
    const address = await sender.call<string>('listen', kind)
    const bulk = await receiver.call<Timed>('receive', kind, address, sizes.fileMiB * MIB)
    const speed = sizes.fileMiB / (bulk.milliseconds / 1000)
    figures.add(`floor: ${kind} memory to memory`, 'MiB/s', speed)
    if (kind === 'tcp') continue
    const one = await receiver.call<number>('requests', address, sizes.ranges, 1)
    figures.add('floor: 64 KiB request over an open noise stream, p50', 'ms', one)
    const many = await receiver.call<number>('requests', address, sizes.ranges, 16)
    figures.add('floor: 64 KiB requests, 16 at once', 'ops/s', many)
    const connect = await receiver.call<number>('connect', address)
    figures.add('floor: connect, negotiate, first 64 KiB over noise', 'ms', connect)
  }
}

export const floors: Readonly<Record<string, Workload>> = { sha256, disk, streams }
