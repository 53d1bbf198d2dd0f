import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { FSWatcher, Stats } from 'node:fs'
import {
  DIRECTORIES_MAX,
  WatchedDirectories
} from '../../../src/namespace/host/watched-directories.ts'
import type { Watch } from '../../../src/namespace/host/watched-directories.ts'
import { codeOf } from './host-fixtures.ts'

const test = suite('watched directories')

test('remembers where something happened, and what', () => {
  const { watched, tell } = watchFake(['', 'a', 'a/b'])
  assert.equal(watched.hasChanges, false)
  tell('a/b', 'change', 'file')
  tell('a/b', 'rename', 'other')
  tell('', 'change', null)
  const { everywhere, directories } = watched.take()
  assert.equal(everywhere, false)
  assert.deepEqual([...directories.keys()], ['a/b', ''])
  assert.deepEqual(directories.get('a/b')?.names, new Set(['file', 'other']))
  assert.equal(directories.get('')?.names, undefined)
  assert.equal(watched.hasChanges, false)
})

test('forgets a directory that was itself renamed or removed, and looks above it', () => {
  const { watched, tell, open } = watchFake(['', 'a', 'a/b', 'a/b/c'])
  tell('a/b', 'rename', 'b')
  assert.equal(watched.has('a/b', statsOf('a/b')), false)
  assert.equal(watched.has('a/b/c', statsOf('a/b/c')), false)
  assert.deepEqual([...open].sort(), ['/top', '/top/a'])
  assert.deepEqual([...watched.take().directories.keys()], ['a/b', 'a'])
})

test('knows a directory from another under its name', () => {
  const { watched, open } = watchFake(['', 'a', 'a/b'])
  assert.ok(watched.has('a', statsOf('a')))
  assert.equal(watched.has('a', statsOf('another')), false)
  watched.add({ path: 'a', hostPath: '/top/a' }, statsOf('another'))
  assert.ok(watched.has('a', statsOf('another')))
  assert.deepEqual([...open].sort(), ['/top', '/top/a'], 'what was below the old one is forgotten')
})

test('lets go of what is no longer listed, and of everything at the end', () => {
  const { watched, open } = watchFake(['', 'a', 'a/b', 'c'])
  watched.keepOnly('', new Set(['c', 'd']))
  assert.deepEqual([...open].sort(), ['/top', '/top/c'])
  watched.close()
  assert.deepEqual([...open], [])
})

test('says that anything may have changed when it was too much to remember', () => {
  const { watched, tell } = watchFake(['', 'a'])
  for (let index = 0; index < 256; index++) tell('a', 'change', `f${index}`)
  assert.equal(watched.take().directories.get('a')?.names?.size, 256)
  for (let index = 0; index < 257; index++) tell('a', 'change', `f${index}`)
  assert.equal(watched.take().directories.get('a')?.names, undefined)
  for (let index = 0; index < 4_096; index++) watched.note(`d${index}`)
  assert.equal(watched.take().everywhere, false)
  for (let index = 0; index < 4_097; index++) watched.note(`d${index}`)
  assert.equal(watched.take().everywhere, true)
})

test('says that anything may have changed when events may have been lost', async () => {
  const { watched, tell } = watchFake(['', 'a'])
  for (let index = 0; index < 100_000; index++) tell('a', 'change', 'f')
  assert.equal(watched.take().everywhere, true)
  await new Promise(resolve => setImmediate(resolve))
  tell('a', 'change', 'f')
  assert.equal(watched.take().everywhere, false)
})

test('gives up watching over its limit, and where the host has no more watchers', () => {
  const { watched, open } = watchFake([''])
  for (let index = 1; index < DIRECTORIES_MAX; index++) {
    watched.add({ path: `d${index}`, hostPath: `/top/d${index}` }, statsOf(`d${index}`))
  }
  assert.equal(watched.failure, undefined)
  assert.equal(open.size, DIRECTORIES_MAX)
  watched.add({ path: 'more', hostPath: '/top/more' }, statsOf('more'))
  assert.equal(codeOf(watched.failure), 'ENOSPC')
  assert.equal(open.size, 0)
})

test('takes a directory that is gone or locked for what it is', () => {
  for (const code of ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']) {
    const watched = new WatchedDirectories(
      () => {},
      () => {
        throw Object.assign(new Error(code), { code })
      }
    )
    watched.add({ path: '', hostPath: '/top' }, statsOf(''))
    assert.equal(watched.failure, undefined)
  }
})

test.run()

interface FakeWatching {
  readonly watched: WatchedDirectories
  /** Host paths that are watched now. */
  readonly open: Set<string>
  readonly tell: (path: string, event: string, name: string | null) => void
}

function watchFake(paths: readonly string[]): FakeWatching {
  const open = new Set<string>()
  const listeners = new Map<string, (event: string, name: string | null) => void>()
  const watchOne: Watch = (hostPath, listener) => {
    open.add(hostPath)
    listeners.set(hostPath, listener)
    const close = (): boolean => open.delete(hostPath)
    return Object.assign(new EventEmitter(), { close }) as unknown as FSWatcher
  }
  const watched = new WatchedDirectories(() => {}, watchOne)
  const hostPathOf = (path: string): string => (path === '' ? '/top' : `/top/${path}`)
  for (const path of paths) watched.add({ path, hostPath: hostPathOf(path) }, statsOf(path))
  return {
    watched,
    open,
    tell: (path, event, name) => listeners.get(hostPathOf(path))!(event, name)
  }
}

/** Another inode for each path. */
function statsOf(path: string): Stats {
  let ino = 7
  for (const unit of path) ino = (ino * 31 + unit.charCodeAt(0)) % 2 ** 40
  return { dev: 1, ino } as Stats
}
