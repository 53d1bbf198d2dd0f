/** Steps that change who holds what: who joins and leaves, policies, and waiting for copies. */
import type { BlockId } from '../../src/blocks/index.ts'
import type { Cluster, Member } from './cluster.ts'
import { DIRECTORIES, SHARED } from './cluster.ts'
import { isListed } from './replication-checks.ts'
import type { ReplicationChecks } from './replication-checks.ts'

/** How many copies of a block are left at least when one rots. */
const COPIES_LEFT_MIN = 2

const DURABLE_MS_MAX = 60_000
const DRAIN_MS_MAX = 120_000

export class ReplicationSteps {
  readonly #cluster: Cluster
  readonly #checks: ReplicationChecks

  constructor(cluster: Cluster, checks: ReplicationChecks) {
    this.#cluster = cluster
    this.#checks = checks
  }

  /** What is there now is on so many disks when this ends well. */
  durable(member: Member): void {
    const { random } = this.#cluster
    const { machine, history } = member
    const copies = random.between(1, 3)
    const number = history.settled
    let seen: ReturnType<ReplicationChecks['see']> | undefined
    this.#begin(member, `durable ${copies}`, {
      work: async () => {
        const { warren } = machine
        await warren!.sync()
        seen = this.#checks.see(member)
        const options = { copies, timeoutMs: DURABLE_MS_MAX }
        await warren!.replication.durable('/', options)
      },
      ended: () => {
        history.durable = Math.max(history.durable, number)
        this.#checks.isOnDisks(member, seen!, copies)
      }
    })
  }

  join(member: Member): void {
    const holder = this.#other(member, false)
    if (holder === undefined) return
    const { machine } = holder
    this.#begin(member, `invite ${machine.name}`, {
      work: async () => {
        await member.machine.warren!.replication.invite(machine.id, { timeoutMs: DURABLE_MS_MAX })
      }
    })
  }

  leave(member: Member): void {
    const holder = this.#other(member, true)
    if (holder?.machine.isAwake !== true) return
    const { volume, name } = member.machine
    const drain = this.#cluster.random.chance(0.8)
    this.#begin(holder, `leave ${name} ${drain ? 'drained' : 'at once'}`, {
      work: async () => {
        const { replication } = holder.machine.warren!
        await replication.leave({ volume, drain, timeoutMs: DRAIN_MS_MAX })
      }
    })
  }

  dismiss(member: Member): void {
    const holder = this.#other(member, true)
    if (holder === undefined) return
    const { id, name } = holder.machine
    this.#begin(member, `remove ${name}`, {
      work: () => member.machine.warren!.replication.remove(id, { timeoutMs: DRAIN_MS_MAX })
    })
  }

  policy(member: Member): void {
    const { random } = this.#cluster
    const path = random.pick([
      '/',
      '/',
      SHARED,
      ...DIRECTORIES.map(directory => SHARED + directory)
    ])!
    const least = this.#cluster.replicasMin
    const replicas = random.pick([least, least, 3, 3, 'all' as const])!
    const isTakenBack = path !== '/' && random.chance(0.4)
    this.#begin(member, `policy ${path} ${isTakenBack ? 'none' : replicas}`, {
      work: () => {
        const { replication } = member.machine.warren!
        return isTakenBack ? replication.unset(path) : replication.set(path, { replicas })
      }
    })
  }

  status(member: Member): void {
    this.#begin(member, 'status', {
      work: async () => {
        const { folders } = await member.machine.warren!.replication.status('/')
        this.#cluster.trace.add(`${member.machine.name} status ${folders[0]!.copies.length}`)
      }
    })
  }

  /** A block rots at one machine; enough others have it. */
  rot(): void {
    const { random, members, survey, trace } = this.#cluster
    const { machine } = random.pick(members)!
    const owner = random.pick(members)!
    const list = survey.listAt(owner.machine, owner.machine.volume)
    const head = survey.headOf(owner.machine)
    if (list === undefined || head === undefined) return
    const isLeft = (id: BlockId): boolean =>
      survey.holdersOf(id).filter(other => other !== machine && isListed(list, other)).length >=
      COPIES_LEFT_MIN
    const ids = [...survey.blocksOf(head.root)].filter(id => machine.disk.has(id) && isLeft(id))
    const id = random.pick(ids)
    if (id === undefined) return
    trace.add(`${machine.name} has a rotten block of ${owner.machine.name}: ${id}`)
    machine.disk.rot(id)
  }

  #begin(
    { machine }: Member,
    what: string,
    { work, ended = () => {} }: { readonly work: () => Promise<void>; readonly ended?: () => void }
  ): void {
    const { trace, operations } = this.#cluster
    trace.add(`${machine.name} ${what}`)
    operations.begin(machine, what, work, outcome => {
      trace.add(`${machine.name} ${what}: ${'code' in outcome ? outcome.code : 'done'}`)
      if (!('code' in outcome)) ended()
    })
  }

  /** Somebody else who holds the member's volume, or does not. */
  #other(member: Member, holds: boolean): Member | undefined {
    const { members, random, survey } = this.#cluster
    const list = survey.listAt(member.machine, member.machine.volume)
    const others = members.filter(other => {
      return other !== member && (list !== undefined && isListed(list, other.machine)) === holds
    })
    return random.pick(others)
  }
}
