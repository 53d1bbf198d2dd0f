/** Floors: what the machine gives without us, measured in the same run as the workloads. */
import { hash, randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { Timed } from './bench-peer.ts'
import type { Kind } from './floor-peer.ts'
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

/**
 * A raw TCP connection and libp2p streams under noise, as it comes and with our primitives, memory to
 * memory between two processes.
 */
const streams: Workload = async ({ sizes, figures, flags }) => {
  const options = { callMsMax: 120_000, flags }
  const module = new URL('floor-peer.ts', import.meta.url)
  for (const kind of ['tcp', 'noise', 'our noise'] as const satisfies readonly Kind[]) {
    await using sender = await spawnPeer(module, [], options)
    await using receiver = await spawnPeer(module, [], options)
    const address = await sender.call<string>('listen', kind)
    const before = await Promise.all([sender.call<number>('cpu'), receiver.call<number>('cpu')])
    const bulk = await receiver.call<Timed>('receive', kind, address, sizes.fileMiB * MIB)
    const speed = sizes.fileMiB / (bulk.milliseconds / 1000)
    figures.add(`floor: ${kind} memory to memory`, 'MiB/s', speed)
    const sent = ((await sender.call<number>('cpu')) - before[0]) / (sizes.fileMiB / 1024)
    figures.add(`floor: ${kind}, CPU of the sender`, 's/GiB', sent)
    const received = ((await receiver.call<number>('cpu')) - before[1]) / (sizes.fileMiB / 1024)
    figures.add(`floor: ${kind}, CPU of the receiver`, 's/GiB', received)
    if (kind === 'tcp') continue
    const one = await receiver.call<number>('requests', kind, address, sizes.ranges, 1)
    figures.add(`floor: 64 KiB request over an open stream, ${kind}, p50`, 'ms', one)
    const many = await receiver.call<number>('requests', kind, address, sizes.ranges, 16)
    figures.add(`floor: 64 KiB requests, 16 at once, ${kind}`, 'ops/s', many)
    const connect = await receiver.call<number>('connect', kind, address)
    figures.add(`floor: connect, negotiate, first 64 KiB, ${kind}`, 'ms', connect)
  }
}

export const floors: Readonly<Record<string, Workload>> = { sha256, disk, streams }
