/**
 * W6: what a reader loses while a holder catches up. A serves a large file to B, alone at first, and
 * then to a fresh B while a new holder of A's volume gets all of it.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { builtModule } from './built-module.ts'
import { hashOf } from './data.ts'
import { spawnPeer } from '../test/fixtures/child-process.ts'
import type { Run } from './run.ts'
import type { Timed, Usage } from './side.ts'

const CALL_MS_MAX = 180_000

export async function whileRepairing(run: Run): Promise<void> {
  const { directory, data, sizes, figures, flagsOf, warmMemory } = run
  warmMemory()
  await using processes = new AsyncDisposableStack()
  const start = async (name: string) => {
    const own = join(directory, name)
    mkdirSync(own)
    const module = builtModule(new URL('bench-peer.ts', import.meta.url))
    const peer = await spawnPeer(module, [], {
      callMsMax: CALL_MS_MAX,
      flags: flagsOf(`W6-${name}`)
    })
    processes.use(peer)
    await peer.call('start', own)
    return peer
  }
  const provider = await start('provider')
  await provider.call('import', data.file, '/file.bin', true)
  const link = await provider.call('share')
  const fetch = async (name: string): Promise<void> => {
    const reader = await start(name)
    await reader.call('mount', link)
    for (const peer of [provider, reader]) await peer.call('usage')
    const target = join(directory, `${name}.bin`)
    const { milliseconds } = await reader.call<Timed>('export', '/remote/file.bin', target)
    const usage = { a: await provider.call<Usage>('usage'), b: await reader.call<Usage>('usage') }
    const figure = `bulk, ${name}`
    figures.add(
      { group: 'W6', figure, unit: 'MiB/s' },
      (sizes.fileMiB / milliseconds) * 1000,
      usage
    )
    if ((await hashOf(target)) !== (await hashOf(data.file))) throw new Error('what came differs')
  }
  await fetch('alone')
  const holder = await start('holder')
  const invitation = await provider.call('invite')
  await holder.call('hold', invitation)
  await fetch('while a holder catches up')
  const missing = await holder.call<number>('missing')
  if (missing === 0) run.say('W6: the holder was done before the reader; the rate is too good')
}
