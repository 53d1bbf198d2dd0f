/** Fetching in spite of failures, against a peer that fails as it is told. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../src/errors.ts'
import { fetchTree } from '../../src/cli/fetch-tree.ts'
import type { FetchTreeOptions } from '../../src/cli/fetch-tree.ts'
import type { ExportOptions, TransferReport, Warren } from '../../src/index.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const NOTHING: TransferReport = {
  files: 0,
  directories: 0,
  symlinks: 0,
  bytes: 0,
  skipped: 0,
  removed: 0,
  failed: []
}

const gone = new WarrenError('EHOSTUNREACH')

const test = suite('fetch tree')

test('begins again while something comes, with pauses that do not grow then', async () => {
  const pauses: number[] = []
  const peer = fakePeer({
    connected: false,
    files: ['a', 'b', 'c', 'd'],
    fetch: pass => (pass < 4 ? gone : undefined)
  })
  const { report, passes } = await fetch(peer, { onPause: (_, ms) => pauses.push(ms) })
  assert.deepEqual([report.files, passes], [4, 4])
  assert.deepEqual(pauses, [500, 500, 500])
})

test('gives up when nothing comes for long, with the reason', async () => {
  const peer = fakePeer({ connected: false, files: [], fetch: () => gone })
  const pauses: number[] = []
  const options = { patienceMs: 1_200, onPause: (_: unknown, ms: number) => pauses.push(ms) }
  await assert.rejects(fetch(peer, options), gone)
  assert.deepEqual(pauses, [500, 1_000])
})

test('gives up at once when trying again makes no sense', async () => {
  const full = new WarrenError('ENOSPC')
  const peer = fakePeer({ connected: true, files: ['a'], fetch: () => full })
  await assert.rejects(fetch(peer, { onPause: () => assert.fail('it paused') }), full)
})

test('fetches one by one what can be had, and names what cannot', async () => {
  const peer = fakePeer({
    connected: true,
    files: ['a', 'broken', 'c', 'late'],
    fetch: () => gone,
    fetchOne: (name, round) =>
      name === 'broken' || (name === 'late' && round < 2) ? gone : undefined
  })
  const { report } = await fetch(peer, {})
  assert.equal(report.files, 3)
  assert.deepEqual(report.failed, [{ path: 'broken', error: gone }])
})

test('ends when it is interrupted, in a pause too', async () => {
  const interruption = new Error('enough')
  const controller = new AbortController()
  const peer = fakePeer({ connected: false, files: [], fetch: () => gone })
  const options = { signal: controller.signal, onPause: () => controller.abort(interruption) }
  await assert.rejects(fetch(peer, options), error => {
    return error === interruption || (error as Error).cause === interruption
  })
})

interface Fake {
  readonly connected: boolean
  readonly files: readonly string[]
  /** What a pass over everything fails with; each brings one file more. */
  readonly fetch: (pass: number) => Error | undefined
  readonly fetchOne?: (name: string, round: number) => Error | undefined
}

function fakePeer({ connected, files, fetch, fetchOne = () => undefined }: Fake): Warren {
  let passes = 0
  const rounds = new Map<string, number>()
  const isTop = (path: string): boolean => path === '/top'
  const warren = {
    peer: { connected: () => (connected ? ['somebody'] : []) },
    fs: {
      stat: async (path: string) => ({ isDirectory: () => isTop(path) }),
      async *opendir() {
        for (const name of files) yield { name, isDirectory: () => false }
      }
    },
    async export(path: string, _hostPath: string, options: ExportOptions) {
      if (isTop(path)) {
        const failure = fetch(++passes)
        const done = connected ? 0 : Math.min(passes, files.length)
        options.onProgress?.({ files: done, bytes: done, path: '' })
        if (failure !== undefined) throw failure
        return { ...NOTHING, files: files.length }
      }
      const name = path.slice('/top/'.length)
      const round = (rounds.get(name) ?? 0) + 1
      rounds.set(name, round)
      const failure = fetchOne(name, round)
      if (failure !== undefined) throw failure
      return { ...NOTHING, files: 1 }
    }
  }
  return warren as unknown as Warren
}

async function fetch(
  warren: Warren,
  options: Partial<FetchTreeOptions>
): Promise<Awaited<ReturnType<typeof fetchTree>>> {
  await using place = await createTemporaryDirectory('fetch')
  return await fetchTree(
    warren,
    { path: '/top', hostPath: place.join('top') },
    {
      patienceMs: 10_000,
      signal: new AbortController().signal,
      onProgress: () => {},
      onPause: () => {},
      ...options
    }
  )
}

test.run()
