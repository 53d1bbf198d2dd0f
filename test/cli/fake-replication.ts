/**
 * A peer without any network whose replication says what a test wants it to say, and remembers what
 * it was asked.
 *
 * Exports: `fakeHome(answers?)` → `{ home, calls, emit(name, detail) }`; `home` is for `runHere`.
 * Ids: `ALICE`, `BOB`, `VOLUME`.
 */
import { WarrenError } from '../../src/errors.ts'
import type {
  BlockId,
  CheckOptions,
  CheckReport,
  FolderStatus,
  HolderStatus,
  PeerId,
  Replication,
  ReplicationEvents,
  ReplicationStatus,
  VolumeId,
  Warren
} from '../../src/index.ts'

export const ALICE: PeerId = '12D3KooWAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as PeerId
export const BOB: PeerId = '12D3KooWBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' as PeerId
export const VOLUME: VolumeId =
  'k51qzi5uqu5dvolumevolumevolumevolumevolumevolumevolumevolume' as VolumeId

export const OWNER: HolderStatus = {
  peer: ALICE,
  owner: true,
  pledgeBytes: 1e9,
  zone: '',
  state: 'active',
  presence: 'present',
  distrusted: false,
  progress: 'current',
  usedBytes: 3_000,
  missingBlocks: 0
}

export const HOLDER: HolderStatus = {
  peer: BOB,
  owner: false,
  pledgeBytes: 50e9,
  zone: 'bobs house',
  state: 'draining',
  presence: 'absent',
  distrusted: true,
  progress: 'behind',
  usedBytes: 2_048,
  missingBlocks: 7
}

export function folder(path: string, bytes: readonly number[]): FolderStatus {
  const copies = bytes.map(amount => ({ files: amount > 0 ? 1 : 0, bytes: amount }))
  const sum = (amounts: readonly { bytes: number; files: number }[]): FolderStatus['total'] => ({
    files: amounts.reduce((total, { files }) => total + files, 0),
    bytes: amounts.reduce((total, { bytes }) => total + bytes, 0)
  })
  return {
    path,
    policy: { replicas: 3, minimum: 2, on: [] },
    total: sum(copies),
    copies,
    endangered: sum(copies.slice(0, 2)),
    lost: copies[0]!.bytes > 0 ? [`${path}/lost`] : []
  }
}

export const STATUS: ReplicationStatus = {
  volume: VOLUME,
  version: 17,
  folders: [folder('/', [1_024, 0, 0, 9_000_000]), folder('/letters', [0, 0, 0, 4_500_000, 0])],
  holders: [OWNER, HOLDER],
  repairing: { blocks: 7, bytes: 7_340_032, estimatedMs: 90_000 }
}

export const REPORT: CheckReport = {
  root: 'bafyroot' as BlockId,
  complete: true,
  counts: {
    nodes: 3,
    nodeBytes: 24,
    directories: 1,
    files: 2_000,
    symlinks: 0,
    entries: 2_000,
    extents: 2_000,
    blocks: 2_000,
    blockBytes: 1_000
  },
  problems: [],
  found: 0,
  repaired: 0,
  byKind: {}
}

export interface FakeHome {
  readonly home: Warren
  /** Each verb with its arguments, without signals. */
  readonly calls: unknown[][]
  emit<Name extends keyof ReplicationEvents>(
    name: Name,
    detail: ReplicationEvents[Name]['detail']
  ): void
}

/** `answers` take the place of what the fake says by itself; one that throws fails the verb. */
export function fakeHome(
  answers: Partial<Replication> = {},
  report: CheckReport = REPORT
): FakeHome {
  const calls: unknown[][] = []
  const events = new EventTarget()
  const told: Partial<Replication> = {
    set: async () => {},
    unset: async () => {},
    policy: async () => ({ replicas: 3, minimum: 2, on: [], from: '/' }),
    replicate: async () => {},
    invite: async () => 'warren-invitation',
    accept: async () => VOLUME,
    leave: async () => {},
    remove: async () => {},
    pledge: async () => {},
    pledged: () => ({ bytes: 50e9, to: [ALICE], zone: 'bobs house', usedBytes: 2_048 }),
    held: () => [
      {
        volume: VOLUME,
        owner: ALICE,
        progress: 'behind',
        leaving: true,
        usedBytes: 2_048,
        pledgeBytes: 50e9,
        missingBlocks: 7,
        holds: 16
      }
    ],
    holders: () => [OWNER, HOLDER],
    status: async () => STATUS,
    ...answers
  }
  const replication: Record<string, unknown> = { events }
  for (const [name, answer] of Object.entries(told)) {
    replication[name] = (...args: readonly unknown[]) => {
      calls.push([name, ...args.map(withoutSignal)])
      return (answer as (...args: readonly unknown[]) => unknown)(...args)
    }
  }
  return {
    home: {
      id: BOB,
      volume: VOLUME,
      replication,
      check: async (options: CheckOptions) => {
        calls.push(['check', { repair: options.repair, blocks: options.blocks }])
        options.onProgress?.({ nodes: 1, blocks: 2, bytes: 3, found: 0, repaired: 0 })
        return report
      }
    } as unknown as Warren,
    calls,
    emit: (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

export function failing(code: 'EINVAL' | 'EDQUOT' | 'ETIMEDOUT' | 'EROFS'): () => Promise<never> {
  return () => Promise.reject(new WarrenError(code))
}

function withoutSignal(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null || !('signal' in argument)) return argument
  const { signal: _, ...rest } = argument
  return rest
}
