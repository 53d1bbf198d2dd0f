/** Alice audits those who hold her volume, through days of simulated time. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createMemoryBlockStore } from '../../../src/blocks/index.ts'
import type { Block, BlockId, BlockStore } from '../../../src/blocks/index.ts'
import type { VolumeId } from '../../../src/namespace/index.ts'
import type { CallHandler, PeerId } from '../../../src/peer/index.ts'
import {
  createAuditHandler,
  createAuditRounds,
  createAuditor
} from '../../../src/replication/index.ts'
import type {
  AuditRounds,
  AuditRoundsOptions,
  Circle,
  Distrust,
  HolderList,
  HolderReport,
  Presence
} from '../../../src/replication/index.ts'
import {
  AUDIT_PERIOD_MS,
  DOUBT_MS,
  REDEEM_PAUSE_MS_MAX,
  SETTLE_MS,
  STRIKES_MAX,
  SURE_BLOCKS
} from '../../../src/replication/audit-rounds/audit-rounds-limits.ts'
import { decodeAuditRequest } from '../../../src/replication/audit/audit-messages.ts'
import { makeBlocks } from '../../blocks/exchange/exchange-fixtures.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import type { ManualClock } from '../../peer/manual-clock.ts'
import { holderFor } from '../fixtures.ts'
import { Holders, createRandom, createRandomBytes } from '../replicas-fixtures.ts'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
const VOLUME = 'a volume' as VolumeId

/** What alice sees of the others; what she makes of it is what is tested. */
class Seen implements Pick<Circle, 'list' | 'presenceOf' | 'reportOf' | 'distrust' | 'events'> {
  readonly #events = new EventTarget()
  readonly events = this.#events as Circle['events']
  readonly holders: PeerId[] = []
  readonly presence = new Map<PeerId, Presence>()
  readonly reports = new Map<PeerId, HolderReport>()
  readonly distrusted: [PeerId, boolean][] = []

  get list(): HolderList {
    return {
      holders: this.holders.map(peer => ({ ...holderFor(1), peer }))
    } as unknown as HolderList
  }

  presenceOf(peer: PeerId): Presence {
    return this.presence.get(peer) ?? 'present'
  }

  reportOf(peer: PeerId): HolderReport | undefined {
    return this.reports.get(peer)
  }

  /** Holders that are listed no more. */
  remove(from: number): void {
    this.holders.splice(from)
    this.#events.dispatchEvent(new CustomEvent('list', { detail: this.list }))
  }

  distrust(peer: PeerId, distrusted: boolean): void {
    this.distrusted.push([peer, distrusted])
  }

  says(peer: PeerId, fields: Partial<HolderReport> = {}): void {
    this.reports.set(peer, {
      volume: VOLUME,
      progress: 'current',
      listSequence: 1,
      holds: 1,
      knows: 1,
      gone: [],
      shares: new Map(),
      share: 256,
      missingBlocks: 0,
      usedBytes: 0,
      pledgeBytes: 1e9,
      ...fields
    })
  }
}

interface Context {
  clock: ManualClock
  holders: Holders
  seen: Seen
  blocks: Block[]
  rounds: AuditRounds
  /** What was to be remembered, newest last. */
  kept: (readonly Distrust[])[]
  audits: { holder: PeerId; at: number; blocks: number }[]
  start(options?: AuditRoundsOptions & { distrusted?: readonly Distrust[] }): Promise<void>
  addHolder(blocks: readonly Block[], wrap?: (inner: CallHandler) => CallHandler): Promise<PeerId>
  storeOf(peer: PeerId): BlockStore
}

const test = suite<Context>('audit rounds')
let blocks: Block[] = []
test.before(async () => {
  blocks = await makeBlocks(1000, 64)
})

test.before.each(async context => {
  const clock = createManualClock()
  const holders = new Holders(clock)
  const seen = new Seen()
  const audits: Context['audits'] = []
  const stores = new Map<PeerId, BlockStore>()
  const alice = await holders.add()
  const own = createMemoryBlockStore()
  await own.putMany(blocks)
  const auditor = createAuditor({
    peer: alice,
    store: own,
    clock,
    random: createRandom(2),
    randomBytes: createRandomBytes(3)
  })
  const random = createRandom(4)
  const kept: Context['kept'] = []
  const rounds = (options: Parameters<Context['start']>[0] = {}): AuditRounds =>
    createAuditRounds(
      {
        distrusted: options.distrusted ?? [],
        remember: distrusted => void kept.push(distrusted),
        self: alice.id,
        auditor,
        circle: seen,
        clock,
        random,
        partOf: async (_, { count }) =>
          Array.from({ length: count }, () => blocks[Math.floor(random() * blocks.length)]!.id)
      },
      options
    )
  seen.holders.push(alice.id)
  Object.assign(context, {
    clock,
    holders,
    seen,
    blocks,
    kept,
    audits,
    storeOf: (peer: PeerId) => stores.get(peer)!,
    async start(options) {
      context.rounds = rounds(options)
      context.rounds.events.addEventListener('audit', ({ detail: { holder, report } }) => {
        const { proven, missing, wrong, silent } = report
        const asked = proven.length + missing.length + wrong.length + silent.length
        audits.push({ holder, at: clock.now(), blocks: asked })
      })
      context.rounds.start()
    },
    async addHolder(has: readonly Block[], wrap = (inner: CallHandler) => inner) {
      const store = createMemoryBlockStore()
      await store.putMany(has)
      const serve = wrap((...call) => audit(...call))
      const peer = await holders.add({ audit: serve })
      const audit = createAuditHandler({ peer, store, clock, mayAudit: () => true })
      stores.set(peer.id, store)
      seen.holders.push(peer.id)
      seen.says(peer.id)
      return peer.id
    }
  } satisfies Partial<Context>)
})
test.after.each(async ({ rounds, holders, clock }) => {
  await rounds.stop()
  const stopping = holders.stop()
  await clock.advance(1000)
  await stopping
})

/** Answers something of the right form. */
const random = createRandomBytes(9)
function lying(): CallHandler {
  return async function* ({ body }) {
    yield { body: { proofs: decodeAuditRequest(body).map(() => random(32)) } }
  }
}

/** Answers only what has few challenges, and leaves the others waiting. */
function answeringUpTo(most: number): (inner: CallHandler) => CallHandler {
  return inner =>
    async function* (request, context) {
      if (decodeAuditRequest(request.body).length > most) await new Promise<never>(() => {})
      yield* inner(request, context)
    }
}

test('honest holders are asked at random times, and stay trusted', async context => {
  const { clock, seen, audits, blocks } = context
  const all = [await context.addHolder(blocks), await context.addHolder(blocks)]
  await context.start()
  await clock.advance(DAY)
  const perDay = DAY / AUDIT_PERIOD_MS
  assert.ok(audits.length > perDay * 0.8 && audits.length < perDay * 1.25, `${audits.length}`)
  for (const holder of all) {
    const asked = audits.filter(audit => audit.holder === holder).length
    assert.ok(asked > perDay / 4, `${asked} of ${audits.length}`)
  }
  const gaps = new Set(audits.map(({ at }) => at % AUDIT_PERIOD_MS))
  assert.ok(gaps.size > audits.length / 2, 'nobody can tell when')
  assert.deepEqual(seen.distrusted, [])
})

test('a liar is found within the hour, and told apart from the others', async context => {
  const { clock, seen, blocks } = context
  await context.addHolder(blocks)
  const mallory = await context.addHolder(blocks, lying)
  await context.start()
  const told: PeerId[] = []
  context.rounds.events.addEventListener('distrusted', ({ detail }) => {
    told.push(detail.holder)
    assert.ok(detail.wrong.length > SURE_BLOCKS / 2)
    assert.deepEqual(detail.missing, [])
  })
  await clock.advance(HOUR)
  assert.deepEqual(seen.distrusted, [[mallory, true]])
  assert.deepEqual(told, [mallory])
  assert.ok(context.rounds.isDistrusted(mallory))
})

test('a lazy holder that dropped a fifth is found; it is trusted again once it has all', async context => {
  const { clock, seen, audits, blocks } = context
  const bob = await context.addHolder(blocks.slice(200))
  await context.start()
  await clock.advance(HOUR)
  assert.deepEqual(seen.distrusted, [[bob, true]])
  audits.length = 0
  await clock.advance(4 * DAY)
  assert.deepEqual(seen.distrusted, [[bob, true]])
  const pauses = audits.slice(1).map(({ at }, index) => at - audits[index]!.at)
  assert.ok(Math.max(...pauses) <= REDEEM_PAUSE_MS_MAX + 2 * AUDIT_PERIOD_MS)
  assert.ok(pauses.at(-1)! > 8 * pauses[0]!, `pauses grow: ${pauses.join(' ')}`)
  await context.storeOf(bob).putMany(blocks)
  await clock.advance(6 * DAY)
  assert.deepEqual(seen.distrusted, [
    [bob, true],
    [bob, false]
  ])
  assert.ok(!context.rounds.isDistrusted(bob))
})

test('absent, gone and new holders are not even asked', async context => {
  const { clock, seen, audits } = context
  const absent = await context.addHolder([])
  seen.presence.set(absent, 'absent')
  const gone = await context.addHolder([])
  seen.presence.set(gone, 'gone')
  const fresh = await context.addHolder([])
  seen.reports.delete(fresh)
  const none = await context.addHolder([])
  seen.says(none, { progress: 'behind', holds: -1 })
  await context.start()
  await clock.advance(3 * DAY)
  assert.deepEqual([seen.distrusted, audits], [[], []])
})

test('who is there and never answers is not counted on after hours, until it answers', async context => {
  const { clock, seen, blocks, kept } = context
  let isSilent = true
  const bob = await context.addHolder(blocks, inner => {
    const silent = answeringUpTo(0)(inner)
    return (...call) => (isSilent ? silent : inner)(...call)
  })
  await context.start()
  const reasons: unknown[] = []
  context.rounds.events.addEventListener('distrusted', ({ detail }) => reasons.push(detail.reason))
  await clock.advance(DOUBT_MS)
  assert.deepEqual(seen.distrusted, [])
  await clock.advance(3 * HOUR)
  assert.deepEqual([seen.distrusted, reasons], [[[bob, true]], ['unproven']])
  assert.deepEqual(
    kept.at(-1)?.map(({ holder, reason }) => [holder, reason]),
    [[bob, 'unproven']]
  )
  isSilent = false
  await clock.advance(2 * DAY)
  assert.deepEqual(seen.distrusted.at(-1), [bob, false])
  assert.deepEqual(kept.at(-1), [])
})

test('who answers two of three audits stays trusted, and one that cannot be reached too', async context => {
  const { clock, seen, audits, blocks, holders } = context
  let asked = 0
  const busy = await context.addHolder(blocks, inner => {
    const silent = answeringUpTo(0)(inner)
    return (...call) => (asked++ % 3 === 0 ? silent : inner)(...call)
  })
  const unreachable = await context.addHolder(blocks)
  holders.network.cut(seen.holders[0]!, unreachable)
  await context.start()
  await clock.advance(5 * DAY)
  assert.deepEqual(seen.distrusted, [])
  assert.ok(audits.filter(({ holder }) => holder === busy).length > 200)
})

test('who says that it is behind is excused for hours, and not for ever', async context => {
  const { clock, seen, blocks } = context
  const slow = await context.addHolder(blocks)
  seen.says(slow, { progress: 'behind', knows: 2 })
  const full = await context.addHolder(blocks)
  seen.says(full, { progress: 'full', knows: 2 })
  const mallory = await context.addHolder(blocks.slice(300))
  seen.says(mallory, { progress: 'behind', missingBlocks: 300 })
  await context.start()
  await clock.advance(DOUBT_MS)
  assert.deepEqual(seen.distrusted, [])
  await clock.advance(DAY)
  assert.deepEqual(seen.distrusted, [[mallory, true]])
})

test('so is who says so when it is asked', async context => {
  const { clock, seen, blocks } = context
  const lost: PeerId = await context.addHolder(
    blocks.slice(300),
    inner =>
      async function* (...call) {
        clock.after(SETTLE_MS / 2, () => seen.says(lost, { progress: 'behind' }))
        yield* inner(...call)
      }
  )
  await context.start()
  await clock.advance(DOUBT_MS)
  assert.deepEqual(seen.distrusted, [])
  await clock.advance(DAY)
  assert.deepEqual(seen.distrusted, [[lost, true]])
})

test('who goes on to another version or list each time is believed as long as it has what it says', async context => {
  const { clock, seen, blocks } = context
  let changes = 0
  const changing =
    (peer: () => PeerId) =>
    (inner: CallHandler): CallHandler =>
      async function* (...call) {
        changes++
        seen.says(peer(), changes % 2 === 0 ? { holds: changes } : { listSequence: changes })
        yield* inner(...call)
      }
  // An honest one has let go of a block or two that it is asked for.
  const bob: PeerId = await context.addHolder(
    blocks.slice(2),
    changing(() => bob)
  )
  const mallory: PeerId = await context.addHolder(
    blocks.slice(300),
    changing(() => mallory)
  )
  await context.start()
  await clock.advance(DOUBT_MS)
  assert.deepEqual(seen.distrusted, [])
  await clock.advance(DAY)
  assert.ok(changes > 100)
  assert.deepEqual(seen.distrusted, [[mallory, true]])
})

test('who was distrusted before a restart is so after it, and when the circle is known again', async context => {
  const { clock, seen, blocks } = context
  const bob = await context.addHolder(blocks)
  const gone = (await context.addHolder(blocks)) as PeerId
  const sinceMs = clock.now()
  seen.remove(2)
  await context.start({
    distrusted: [bob, gone].map(holder => ({ holder, reason: 'lacking' as const, sinceMs }))
  })
  assert.ok(context.rounds.isDistrusted(bob))
  assert.deepEqual(seen.distrusted, [[bob, true]])
  assert.deepEqual(context.kept.at(-1), [{ holder: bob, reason: 'lacking', sinceMs }])
  await clock.advance(DAY)
  assert.deepEqual(seen.distrusted.at(-1), [bob, false])
  assert.deepEqual(context.kept.at(-1), [])
})

test('one block lost to the disk is excused when it comes back, and not when it does not', async context => {
  const { clock, seen, blocks } = context
  const bob = await context.addHolder(blocks)
  const store = context.storeOf(bob)
  await context.start()
  const failures: BlockId[] = []
  context.rounds.events.addEventListener('audit', ({ detail: { report } }) => {
    failures.push(...report.missing)
  })
  await store.deleteMany([blocks[5]!.id])
  while (failures.length === 0) await clock.advance(HOUR / 60)
  await store.putMany(blocks)
  await clock.advance(DAY)
  assert.deepEqual([failures, seen.distrusted], [[blocks[5]!.id], []])
  await store.deleteMany([blocks[7]!.id])
  while (failures.length === 1) await clock.advance(HOUR / 60)
  await clock.advance(2 * HOUR)
  assert.deepEqual(seen.distrusted, [[bob, true]], 'it goes on claiming what it has not')
})

test('who fails and then will not let us make sure can do that once', async context => {
  const { clock, seen, blocks } = context
  const bob = await context.addHolder(blocks.slice(200), answeringUpTo(60))
  await context.start()
  let silences = 0
  context.rounds.events.addEventListener('audit', ({ detail: { report } }) => {
    if (report.silent.length > 100) seen.says(bob, { holds: 1 + ++silences })
  })
  await clock.advance(DAY)
  assert.deepEqual(seen.distrusted, [[bob, true]])
  assert.equal(silences, STRIKES_MAX)
})

test('what is known of a holder goes with its place in the list', async context => {
  const { clock, seen } = context
  const bob = await context.addHolder([])
  await context.start()
  await clock.advance(HOUR)
  assert.ok(context.rounds.isDistrusted(bob))
  seen.remove(1)
  await clock.advance(HOUR)
  assert.ok(!context.rounds.isDistrusted(bob))
})

test('stops in the middle of an audit, and starts again', async context => {
  const { clock, audits, blocks } = context
  await context.addHolder(blocks, answeringUpTo(0))
  await context.start()
  await clock.advance(AUDIT_PERIOD_MS)
  await context.rounds.stop()
  await context.rounds.stop()
  audits.length = 0
  await clock.advance(DAY)
  assert.equal(audits.length, 0)
  context.rounds.start()
  await clock.advance(HOUR)
  assert.ok(audits.length > 0)
})

test.run()
