/** The names that apps may import. A change here is a change of the API, to be made on purpose. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as index from '../../src/index.ts'
import { startWarren } from './fixtures.ts'

const test = suite('public names')

test('values', () => {
  assert.deepEqual(Object.keys(index).sort(), [
    'WarrenError',
    'createMemoryAddressStore',
    'createMemoryBlockStore',
    'createMemoryHeadStore',
    'createMemoryHolderListStore',
    'createMemoryNamespaceStore',
    'createMemoryReplicationStore',
    'createReadKey',
    'createSigningKey',
    'createWarren',
    'fromBlockstore',
    'importSigningKey',
    'isWarrenError',
    'parseReadKey',
    'toBlockstore'
  ])
})

test('values and types', async () => {
  const text = await readFile(new URL('../../src/index.ts', import.meta.url), 'utf8')
  const names = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) =>
    list!.split(',').map(name => name.trim())
  )
  assert.deepEqual(names.filter(Boolean).sort(), [
    'AddressBook',
    'AddressRecord',
    'AddressStore',
    'Amount',
    'BigIntStats',
    'Block',
    'BlockId',
    'BlockStore',
    'BlockStoreUsage',
    'Blockstore',
    'CheckCounts',
    'CheckOptions',
    'CheckProblem',
    'CheckProgress',
    'CheckReport',
    'Directory',
    'Dirent',
    'DirentWithStats',
    'DistrustReason',
    'ErrorCode',
    'ErrorDetails',
    'ExportOptions',
    'FileHandle',
    'FileSystem',
    'FolderStatus',
    'HeadStore',
    'HeldStatus',
    'HolderListStore',
    'HolderProgress',
    'HolderState',
    'HolderStatus',
    'ImportOptions',
    'MirrorOptions',
    'MountReport',
    'NamespaceStore',
    'PathLike',
    'Peer',
    'PeerId',
    'PeerReport',
    'PledgeOptions',
    'PledgeReport',
    'Policy',
    'Presence',
    'ProblemKind',
    'ReadKey',
    'Replication',
    'ReplicationEvents',
    'ReplicationOptions',
    'ReplicationStatus',
    'ReplicationStore',
    'ShareReport',
    'SigningKey',
    'Stats',
    'TransferOptions',
    'TransferProgress',
    'TransferReport',
    'VolumeId',
    'WaitOptions',
    'Warren',
    'WarrenError',
    'WarrenOptions',
    'WatchEvent',
    'createMemoryAddressStore',
    'createMemoryBlockStore',
    'createMemoryHeadStore',
    'createMemoryHolderListStore',
    'createMemoryNamespaceStore',
    'createMemoryReplicationStore',
    'createReadKey',
    'createSigningKey',
    'createWarren',
    'fromBlockstore',
    'importSigningKey',
    'isWarrenError',
    'parseReadKey',
    'toBlockstore'
  ])
})

test('verbs of a warren', async () => {
  await using warren = await startWarren()
  const names = new Set<string>()
  for (let at: object | null = warren; at !== null && at !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    at = Object.getPrototypeOf(at) as object | null
  }
  assert.deepEqual([...names].sort(), [
    'addresses',
    'check',
    'collect',
    'connect',
    'constructor',
    'export',
    'fs',
    'id',
    'import',
    'mirror',
    'mount',
    'mounts',
    'peer',
    'peers',
    'replication',
    'share',
    'shares',
    'start',
    'stop',
    'sync',
    'unmount',
    'unshare',
    'usage',
    'volume'
  ])
})

test('verbs of the file system', async () => {
  await using warren = await startWarren()
  assert.deepEqual(Object.keys(warren.fs).sort(), [
    'access',
    'appendFile',
    'chmod',
    'chown',
    'constants',
    'copyFile',
    'cp',
    'createReadStream',
    'createWriteStream',
    'exists',
    'flush',
    'getAttribute',
    'lchown',
    'link',
    'listAttributes',
    'lstat',
    'lutimes',
    'mkdir',
    'mkdtemp',
    'open',
    'opendir',
    'promises',
    'readFile',
    'readdir',
    'readlink',
    'realpath',
    'removeAttribute',
    'rename',
    'rm',
    'rmdir',
    'setAttribute',
    'stat',
    'symlink',
    'sync',
    'truncate',
    'unlink',
    'utimes',
    'watch',
    'writeFile'
  ])
})

test.run()
