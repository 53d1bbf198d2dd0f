/**
 * Runs a cluster for a number of steps, each chosen by chance from the seed, and checks after each
 * that everything is as it must be.
 */
import { describeTree } from '../warren/tree-model.ts'
import { Cluster, SHARED, mountOf } from './cluster.ts'
import type { Member } from './cluster.ts'
import { FaultSteps } from './fault-steps.ts'
import { FileSteps } from './file-steps.ts'
import { AUDIT_MS, GRACE_MS } from './machine.ts'
import { ReplicationChecks } from './replication-checks.ts'
import { ReplicationSteps } from './replication-steps.ts'
import { SeededRandom } from './seeded-random.ts'
import { sealProcess } from './sealed-process.ts'
import { require } from './violation.ts'
import { isSameState, stateFromLines } from './volume-history.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly steps: number
  /** Default 5. */
  readonly machines?: number
  /** One more machine that holds what others have, and lies. Default false. */
  readonly liar?: boolean
  /** Disks say that they have synced, and have not: then the simulation has to fail. Default false. */
  readonly disksLie?: boolean
  /** Told of every line of the trace. */
  readonly write?: (line: string) => void
}

export interface SimulationReport {
  /** Equal for runs in which the same happened. */
  readonly digest: string
  /** What passed in the cluster, in milliseconds. */
  readonly simulatedMs: number
  readonly timers: number
  readonly bytesCarried: number
  readonly outcomes: readonly [what: string, count: number][]
}

/** Between two times that everything is mended and compared. */
const STEPS_BETWEEN_CALMS = 500

/**
 * After the last fault everything is as it should be within this, in milliseconds: the longest
 * pauses before a peer is dialled again and before a volume is followed again come one after the other.
 */
const CALM_MS = 150_000

/** From when damage is found until it is mended, in milliseconds. */
const MEND_MS = 60_000

/** Until somebody who has none of what it says is audited by everybody, and not believed any more. */
const FOUND_MS: number = 20 * AUDIT_MS

const WEIGHTS = {
  write: 20,
  append: 6,
  remove: 4,
  rename: 5,
  sync: 8,
  readOwn: 10,
  readOther: 28,
  collect: 1,
  crash: 1.5,
  stop: 0.5,
  restart: 5,
  breakLink: 2.5,
  mendLink: 5,
  changeLink: 2,
  disk: 1.5,
  sleep: 0.6,
  wake: 2,
  jump: 0.3,
  rot: 2,
  durable: 6,
  status: 1,
  policy: 1,
  join: 2,
  leave: 0.7,
  dismiss: 0.4
}

const OF_OWNERS = ['durable', 'status', 'policy', 'join', 'leave', 'dismiss'] as const

/** Throws a `Violation`, or what somebody did not expect, with the trace's last lines. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, machines = 5, liar, disksLie, write } = options
  const cluster = new Cluster({ seed, machines, liar, disksLie, write })
  const strays: unknown[] = []
  const onStray = (reason: unknown): void => void strays.push(reason)
  process.on('unhandledRejection', onStray)
  const unseal = sealProcess(cluster.clock, new SeededRandom(seed + 1))
  const startMs = cluster.clock.now()
  try {
    const simulation = new Simulation(cluster, strays)
    await simulation.run(options.steps)
    return {
      digest: cluster.trace.digest(),
      simulatedMs: cluster.clock.now() - startMs,
      timers: cluster.clock.eventsRun,
      bytesCarried: cluster.network.bytesCarried(),
      outcomes: cluster.operations.outcomes()
    }
  } catch (error) {
    throw new Error(
      `seed ${seed} failed: ${String((error as Error).stack)}\n` +
        `the last lines before:\n  ${cluster.trace.last().join('\n  ')}`,
      { cause: error }
    )
  } finally {
    for (const { machine } of cluster.members) machine.crash()
    unseal()
    process.off('unhandledRejection', onStray)
  }
}

class Simulation {
  readonly #cluster: Cluster
  readonly #files: FileSteps
  readonly #faults: FaultSteps
  readonly #replication: ReplicationSteps
  readonly #checks: ReplicationChecks
  readonly #strays: readonly unknown[]
  #calms = 0

  constructor(cluster: Cluster, strays: readonly unknown[]) {
    this.#cluster = cluster
    this.#strays = strays
    this.#files = new FileSteps(cluster)
    this.#faults = new FaultSteps(cluster)
    this.#checks = new ReplicationChecks(cluster)
    this.#replication = new ReplicationSteps(cluster, this.#checks)
  }

  async run(steps: number): Promise<void> {
    const { trace, clock, network } = this.#cluster
    await this.#cluster.start()
    const startMs = clock.now()
    for (let step = 1; step <= steps; step++) {
      await this.#step()
      await this.#pass(this.#pauseMs())
      trace.add(
        `${step}: ${clock.now() - startMs} ms, ${clock.eventsRun} timers, ${network.bytesCarried()} bytes`
      )
      if (step % STEPS_BETWEEN_CALMS === 0) await this.#calm()
    }
    await this.#calm()
    await this.#findLiars()
  }

  async #step(): Promise<void> {
    const { random, members } = this.#cluster
    const kind = random.weighted(WEIGHTS)
    const faults = this.#faults
    if (kind === 'restart') return await faults.restart()
    if (kind === 'breakLink' || kind === 'mendLink' || kind === 'changeLink' || kind === 'disk') {
      return faults[kind]()
    }
    if (kind === 'wake') return faults.wake()
    if (kind === 'rot') return this.#replication.rot()
    if (isOfOwner(kind)) {
      const owner = random.pick(this.#cluster.owners)!
      if (owner.machine.isAwake) this.#replication[kind](owner)
      return
    }
    const member = random.pick(members.filter(({ machine }) => machine.isUp))!
    if (kind === 'crash' || kind === 'stop') return await faults[kind](member)
    if (kind === 'sleep' || kind === 'jump') return faults[kind](member)
    if (!member.machine.isAwake || member.machine.isLiar) return
    if (isChange(kind) && member.isChanging) return
    this.#files[kind](member)
  }

  #pauseMs(): number {
    const { random } = this.#cluster
    const most = random.weighted({ 20: 40, 200: 35, 2_000: 18, 20_000: 6, 120_000: 1 })
    return random.below(Number(most))
  }

  async #pass(ms: number): Promise<void> {
    const { clock, operations } = this.#cluster
    await clock.run(ms)
    operations.check(ms)
    this.#checks.noneLost()
    this.#checks.staysElsewhere()
    this.#checks.withinPledges()
    require(this.#strays.length === 0, () => {
      return `nobody handled: ${String((this.#strays[0] as Error).stack)}`
    })
  }

  /**
   * Everything is mended, and before long everybody sees what everybody has. Every other time one
   * machine stays away for longer than the grace period: then the others have taken over.
   */
  async #calm(): Promise<void> {
    const { members, owners, random, trace } = this.#cluster
    const isAway = this.#calms++ % 2 === 1
    const away = isAway
      ? random.pick(members.filter(member => !owners.includes(member)))
      : undefined
    if (away !== undefined) {
      trace.add(`${away.machine.name} stays away`)
      this.#faults.down(away)
    }
    await this.#faults.mendAll(away)
    await this.#pass(CALM_MS)
    const up = members.filter(member => member !== away)
    for (const member of up) await this.#cluster.lookAgain(member)
    const isGrace = owners.some(owner => this.#checks.hasGhosts(owner, up)) || away !== undefined
    if (isGrace) await this.#pass(GRACE_MS)
    // What nobody synced is written back within half a minute by any system.
    for (const { machine } of up) machine.disk.beginSync()()
    for (const owner of owners) await this.#isWhole(owner, up)
    const honest = up.filter(({ machine }) => !machine.isLiar)
    for (const owner of honest) {
      for (const reader of honest) await this.#compare(owner, reader)
    }
  }

  /** What an audit found only now is mended within a minute. */
  async #isWhole(owner: Member, up: readonly Member[]): Promise<void> {
    const options = { liarsBelieved: up.filter(({ machine }) => machine.isLiar).length }
    try {
      this.#checks.isWhole(owner, up, options)
    } catch {
      await this.#pass(MEND_MS)
      for (const { machine } of up) machine.disk.beginSync()()
      this.#checks.isWhole(owner, up, options)
    }
  }

  /** In the end nobody believes who lies, and everything has its copies elsewhere. */
  async #findLiars(): Promise<void> {
    const { members, owners } = this.#cluster
    if (!members.some(({ machine }) => machine.isLiar)) return
    await this.#faults.mendAll()
    await this.#pass(FOUND_MS)
    for (const { machine } of members) machine.disk.beginSync()()
    for (const owner of owners) {
      this.#checks.liarsAreFound(owner)
      this.#checks.isWhole(owner, members, { liarsBelieved: 0 })
    }
  }

  async #compare(owner: Member, reader: Member): Promise<void> {
    const { trace } = this.#cluster
    const root = reader === owner ? SHARED : mountOf(owner)
    const who = `${reader.machine.name} reading ${owner.machine.name}`
    const lines = await this.#cluster.must(describeTree(reader.machine.warren!.fs, root), who)
    const state = stateFromLines(lines)
    require(isSameState(state, owner.history.newest), () => {
      return `${who} sees\n${lines.join('\n')}\nand not\n${[...owner.history.newest].join('\n')}`
    })
    trace.add(`${who}: equal`)
  }
}

function isOfOwner(kind: string): kind is (typeof OF_OWNERS)[number] {
  return (OF_OWNERS as readonly string[]).includes(kind)
}

function isChange(kind: string): boolean {
  return kind === 'write' || kind === 'append' || kind === 'remove' || kind === 'rename'
}
