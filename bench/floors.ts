/** Floors: what the machine gives without us, measured in the same run as the workloads. */
import { hash, randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { builtModule } from './built-module.ts'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { PeerProcess, SpawnOptions } from '../test/fixtures/child-process.ts'
import type { Timed, Usage } from './side.ts'
import type { Kind } from './floor-peer.ts'
import type { Run, Workload } from './run.ts'
import type { UsageOfBoth } from './system.ts'

const MIB = 1024 * 1024
const floor = { group: 'floors', system: 'floor' } as const

const sha256: Workload = async ({ figures }) => {
  for (const bytes of [64 * 1024, MIB]) {
    const buffer = randomFillSync(new Uint8Array(bytes))
    const rounds = (128 * MIB) / bytes
    const began = performance.now()
    for (let round = 0; round < rounds; round++) hash('sha256', buffer, 'buffer')
    const seconds = (performance.now() - began) / 1000
    const figure = `sha256 of ${bytes / 1024} KiB`
    figures.add({ ...floor, figure, unit: 'MiB/s' }, 128 / seconds)
  }
}

const disk: Workload = async ({ directory, sizes, figures, warmMemory }) => {
  warmMemory()
  const buffer = randomFillSync(new Uint8Array(MIB))
  const began = performance.now()
  const file = openSync(join(directory, 'written.bin'), 'w')
  for (let written = 0; written < sizes.fileMiB; written++) writeSync(file, buffer)
  const seconds = (performance.now() - began) / 1000
  fsyncSync(file)
  closeSync(file)
  figures.add({ ...floor, figure: 'plain writes of 1 MiB', unit: 'MiB/s' }, sizes.fileMiB / seconds)
}

/** Each connection in processes of its own, as cold as those of W4; so often, since they scatter. */
const CONNECTIONS = 3

interface Ends {
  readonly sender: PeerProcess
  readonly receiver: PeerProcess
  readonly address: string
}

async function withEnds(
  kind: Kind,
  { flagsOf }: Run,
  work: (ends: Ends) => Promise<void>
): Promise<void> {
  const options = (side: string): SpawnOptions => ({
    callMsMax: 120_000,
    flags: flagsOf(`floor-${kind}-${side}`.replaceAll(' ', '-'))
  })
  const module = builtModule(new URL('floor-peer.ts', import.meta.url))
  await using sender = await spawnPeer(module, [], options('A'))
  await using receiver = await spawnPeer(module, [], options('B'))
  await work({ sender, receiver, address: await sender.call<string>('listen', kind) })
}

/**
 * A raw TCP connection and libp2p streams under noise, as it comes and with our primitives, memory to
 * memory between two processes.
 */
const streams: Workload = async run => {
  run.warmMemory()
  for (const kind of ['tcp', 'noise', 'our noise'] as const satisfies readonly Kind[]) {
    await withEnds(kind, run, async ends => {
      await measureBulk(kind, run, ends)
      if (kind !== 'tcp') await measureRequests(kind, run, ends)
    })
  }
}

async function measureBulk(kind: Kind, { sizes, figures }: Run, ends: Ends): Promise<void> {
  const { sender, receiver, address } = ends
  const usage = async (): Promise<UsageOfBoth> => ({
    a: await sender.call<Usage>('usage'),
    b: await receiver.call<Usage>('usage')
  })
  await usage()
  const bulk = await receiver.call<Timed>('receive', kind, address, sizes.fileMiB * MIB)
  const what = { ...floor, figure: `${kind} memory to memory`, unit: 'MiB/s' } as const
  figures.add(what, (sizes.fileMiB / bulk.milliseconds) * 1000, await usage())
}

async function measureRequests(kind: Kind, { sizes, figures }: Run, ends: Ends): Promise<void> {
  const { receiver, address } = ends
  const one = await receiver.call<number>('requests', kind, address, sizes.ranges, 1)
  const request = `64 KiB request over an open stream, ${kind}, p50`
  figures.add({ ...floor, figure: request, unit: 'ms' }, one)
  const many = await receiver.call<number>('requests', kind, address, sizes.ranges, 16)
  const requests = `64 KiB requests, 16 at once, ${kind}`
  figures.add({ ...floor, figure: requests, unit: 'ops/s' }, many)
}

/** To a peer that nobody has spoken with yet, from one that has not spoken yet. */
const connect: Workload = async run => {
  for (const kind of ['noise', 'our noise'] as const satisfies readonly Kind[]) {
    const what = {
      ...floor,
      figure: `connect, negotiate, first 64 KiB, ${kind}`,
      unit: 'ms'
    } as const
    for (let time = 0; time < CONNECTIONS; time++) {
      await withEnds(kind, run, async ({ receiver, address }) => {
        run.figures.add(what, await receiver.call<number>('connect', kind, address))
      })
    }
  }
}

export const floors: Readonly<Record<string, Workload>> = { sha256, disk, streams, connect }
