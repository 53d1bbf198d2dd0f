/**
 * A whole cluster in one process: machines with their disks and clocks, the links between them,
 * and what each volume should hold.
 */
import { createMemoryNetwork } from '../../src/peer/index.ts'
import type { MemoryNetwork } from '../../src/peer/index.ts'
import { describeTree } from '../warren/tree-model.ts'
import { DiskSurvey } from './disk-survey.ts'
import { Links } from './links.ts'
import { Machine } from './machine.ts'
import { Operations } from './operations.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { Trace } from './trace.ts'
import { require } from './violation.ts'
import { VolumeHistory, isSameState, stateFromLines } from './volume-history.ts'
import type { TreeState } from './volume-history.ts'

/** Where each machine keeps what others mount; beside it are its mounts. */
export const SHARED = '/data'

export const DIRECTORIES: readonly string[] = ['/a', '/b']

/** Two volumes have copies at others; the rest are only mounted. */
const OWNERS = 2
const ZONES = 3

/** Of one holder for one volume: more than all there is. */
const PLEDGE_BYTES = 4 * 1024 * 1024

/** Of one holder: sometimes less than its part, but more than the nodes, which everybody has. */
const TIGHT_BYTES_MIN = 60_000
const TIGHT_BYTES_MAX = 120_000

/** It holds both volumes at first. */
const TIGHT = 'carol'

const LIAR = 'mallory'

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']

/** Longer than anything takes at the start and the end of a process, in milliseconds. */
const START_MS_MAX = 120_000

export interface ClusterOptions {
  readonly seed: number
  readonly machines: number
  /** One more machine, which holds what others have, and lies. */
  readonly liar?: boolean | undefined
  /** Disks say that they have synced, and have not. */
  readonly disksLie?: boolean | undefined
  readonly write?: ((line: string) => void) | undefined
}

/** A machine, and what the simulation knows of it. */
export interface Member {
  readonly machine: Machine
  readonly history: VolumeHistory
  /** By owner, the number of the oldest state that it may still see. */
  readonly seen: Map<Member, number>
  /** Link to what it shares. */
  link: string
  isChanging: boolean
}

export class Cluster {
  readonly random: SeededRandom
  readonly clock: SimulatedClock = new SimulatedClock()
  readonly trace: Trace
  readonly operations: Operations = new Operations()
  readonly members: Member[] = []
  readonly links: Links
  readonly network: MemoryNetwork
  readonly survey: DiskSurvey = new DiskSurvey(() => this.members.map(({ machine }) => machine))
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
    this.random = new SeededRandom(options.seed)
    this.trace = new Trace(options.write)
    const { clock } = this
    this.network = createMemoryNetwork({ clock, random: this.random.fork().next })
    this.links = new Links(this.network, this.random.fork())
  }

  /** Makes the machines, shares a directory of each and mounts it at all others. */
  async start(): Promise<void> {
    const components = { clock: this.clock, network: this.network, random: this.random.fork() }
    const names = NAMES.slice(0, this.#options.machines)
    for (const name of this.#options.liar === true ? [...names, LIAR] : names) {
      const machine = await Machine.create(name, components)
      machine.isLiar = name === LIAR
      machine.isTight = name === TIGHT
      machine.disk.liesAboutSync = this.#options.disksLie === true
      const state: TreeState = new Map(DIRECTORIES.map(directory => [directory, '/']))
      const history = new VolumeHistory(state)
      this.members.push({ machine, history, seen: new Map(), link: '', isChanging: false })
    }
    this.links.add(this.members.map(({ machine }) => machine.id))
    for (const member of this.members) await this.must(this.#found(member), 'the first start')
    for (const owner of this.owners) await this.#replicate(owner)
    for (const reader of this.members) {
      for (const owner of this.members) {
        if (reader === owner || reader.machine.isLiar) continue
        const mounting = reader.machine.warren!.mount(mountOf(owner), owner.link)
        await this.must(mounting, `${reader.machine.name} mounting ${owner.machine.name}`)
      }
    }
  }

  /** False when it cannot be read before others who have what has rotted here are reached. */
  async #lookAfterStart(member: Member): Promise<boolean> {
    const { machine, history } = member
    try {
      await this.must(this.look(member, history.durable), `${machine.name} reading its volume`)
    } catch (error) {
      if (!isUnreachable(error) || !this.survey.lacksOwn(machine)) throw error
      this.trace.add(`${machine.name} cannot read its volume yet`)
      machine.crash()
      return false
    }
    // It came from the disk.
    history.durable = history.settled
    return true
  }

  /** One that lies and a block that rots are two faults at once, which takes three copies. */
  get replicasMin(): number {
    return this.members.some(({ machine }) => machine.isLiar) ? 3 : 2
  }

  /** Those whose volumes others hold. */
  get owners(): Member[] {
    return this.members.slice(0, OWNERS)
  }

  /** Lets time pass until it is done; it has to be done, and well, before long. */
  async must<Result>(work: Promise<Result>, what: string): Promise<Result> {
    const ended = await this.clock.until(work, START_MS_MAX)
    require(ended, () => `${what} did not end in ${START_MS_MAX} ms`)
    return await work
  }

  /** After a crash or a stop. Its volume holds everything that was reported durable. */
  async restart(member: Member): Promise<void> {
    const { machine } = member
    // It may be refused by a full disk, and is started again when there is room.
    const starting = machine.start()
    const ended = await this.clock.until(starting, START_MS_MAX)
    require(ended, () => `${machine.name} did not start in ${START_MS_MAX} ms`)
    try {
      await starting
    } catch (error) {
      if (machine.disk.isLimited && (error as { code?: string }).code === 'ENOSPC') return
      throw error
    }
    if (!(await this.#lookAfterStart(member))) return
    for (const owner of this.members) member.seen.delete(owner)
    const mounted = new Set(machine.warren!.mounts().map(({ path }) => path))
    for (const owner of this.members) {
      const isThere = owner === member || machine.isLiar || mounted.has(mountOf(owner))
      require(isThere, () => `${machine.name} has lost the mount of ${owner.machine.name}`)
    }
  }

  /** Reads the own volume of a member, which is in one of the states from this one on. */
  async look(member: Member, from: number): Promise<void> {
    const { machine, history } = member
    const state = stateFromLines(await describeTree(machine.warren!.fs, SHARED))
    const found = history.find(from, other => isSameState(other, state))
    require(found !== undefined, () => {
      const lines = (of: TreeState): string => [...of].map(line => line.join(' ')).join('\n  ')
      return (
        `${machine.name} holds what it never held since state ${from}:\n  ${lines(state)}\n` +
        `the newest is ${history.newestNumber}:\n  ${lines(history.newest)}`
      )
    })
    this.trace.add(`${machine.name} holds state ${found} of ${from} to ${history.newestNumber}`)
    history.returnTo(state)
    member.isChanging = false
  }

  /** All but the last hold it at first. */
  async #replicate({ machine }: Member): Promise<void> {
    const { replication } = machine.warren!
    await this.must(replication.set('/', { replicas: this.replicasMin }), 'the first policy')
    const honest = this.members.filter(other => !other.machine.isLiar)
    const liars = this.members.filter(other => other.machine.isLiar)
    for (const other of [...honest.slice(0, -1), ...liars]) {
      if (other.machine === machine) continue
      await this.must(replication.invite(other.machine.id), `${machine.name} inviting`)
    }
  }

  /** A change that failed could not be looked at when it did. */
  async lookAgain(member: Member): Promise<void> {
    const { machine, history, isChanging } = member
    if (!isChanging) return
    await this.must(this.look(member, history.settled), `${machine.name} reading its volume`)
  }

  async #found(member: Member): Promise<void> {
    const warren = await member.machine.start()
    await warren.fs.mkdir('/m')
    await warren.fs.mkdir(SHARED)
    for (const directory of DIRECTORIES) await warren.fs.mkdir(SHARED + directory)
    const { random } = this
    const pledged = member.machine.isTight
      ? random.between(TIGHT_BYTES_MIN, TIGHT_BYTES_MAX)
      : PLEDGE_BYTES
    await warren.replication.pledge({
      bytes: OWNERS * pledged,
      to: this.owners.map(({ machine }) => machine.id),
      zone: `zone ${this.members.indexOf(member) % ZONES}`
    })
    member.link = await warren.share(SHARED)
    await warren.sync()
  }
}

function isUnreachable(error: unknown): boolean {
  return (error as { readonly code?: string }).code === 'EHOSTUNREACH'
}

export function mountOf(owner: Member): string {
  return `/m/${owner.machine.name}`
}
