/** Steps that break things, and those that mend them. */
import type { Cluster, Member } from './cluster.ts'
import type { LinkFault } from './links.ts'

/** So many machines are up at all times, or nothing would be tested. */
const UP_MIN = 3

export class FaultSteps {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  crash(member: Member): void {
    const { members } = this.#cluster
    if (members.filter(({ machine }) => machine.isUp).length > UP_MIN) this.down(member)
  }

  /** The power of a machine goes. */
  down({ machine }: Member): void {
    const { trace, operations } = this.#cluster
    trace.add(`${machine.name} crashes`)
    this.#cluster.links.wake(machine.id)
    operations.forget(machine)
    machine.crash()
  }

  async stop(member: Member): Promise<void> {
    const { members, trace, operations } = this.#cluster
    const { machine, history } = member
    if (members.filter(other => other.machine.isUp).length <= UP_MIN || !machine.isAwake) return
    trace.add(`${machine.name} stops`)
    const number = history.settled
    // What is asked of it while it stops may be refused.
    operations.forget(machine)
    try {
      await this.#cluster.must(machine.stop(), `${machine.name} stopping`)
      history.durable = Math.max(history.durable, number)
    } catch (error) {
      if (!machine.disk.isLimited || (error as { code?: string }).code !== 'ENOSPC') throw error
      machine.crash()
    }
  }

  async restart(): Promise<void> {
    const { members, random, trace } = this.#cluster
    const member = random.pick(members.filter(({ machine }) => machine.isDown))
    if (member === undefined) return
    trace.add(`${member.machine.name} starts`)
    await this.#cluster.restart(member)
  }

  breakLink(): void {
    const { links, random, trace } = this.#cluster
    const fault = this.#linkFault()
    const kind = random.weighted({ one: 5, part: 1, isolate: 2 })
    trace.add(`network: ${kind} ${fault}`)
    if (kind === 'one') links.breakOne(fault)
    else if (kind === 'part') links.part(fault)
    else links.isolate(this.#anyone().machine.id, fault)
  }

  mendLink(): void {
    const { links, random, trace } = this.#cluster
    if (links.broken === 0) return
    const all = random.chance(0.3)
    trace.add(`network: mended ${all ? 'all' : 'one'}`)
    if (all) links.mendAll()
    else links.mendOne()
  }

  changeLink(): void {
    const { links, random, trace } = this.#cluster
    const kind = random.weighted({ slow: 2, quick: 1, reset: 3 })
    trace.add(`network: ${kind}`)
    if (kind === 'slow') links.slowDown()
    else if (kind === 'quick') links.speedUp()
    else links.reset()
  }

  disk(): void {
    const { random, trace } = this.#cluster
    const { disk, name } = this.#anyone().machine
    const kind = random.weighted({ full: 1, slow: 1, roomy: 2, quick: 2 })
    trace.add(`${name} disk: ${kind}`)
    if (kind === 'full') disk.fill(random.pick([0, 0, 5_000, 30_000])!)
    else if (kind === 'roomy') disk.capacityBytes = Infinity
    else disk.isSlow = kind === 'slow'
  }

  sleep(member: Member): void {
    if (!member.machine.isAwake) return
    this.#cluster.trace.add(`${member.machine.name} falls asleep`)
    member.machine.sleep()
    this.#cluster.links.sleep(member.machine.id)
  }

  wake(): void {
    const { members, random, trace } = this.#cluster
    const member = random.pick(members.filter(({ machine }) => machine.isAsleep))
    if (member === undefined) return
    trace.add(`${member.machine.name} wakes`)
    this.#wake(member)
  }

  jump(member: Member): void {
    const { random, trace } = this.#cluster
    const ms = random.pick([-3_600_000, -5_000, -100, 100, 5_000, 3_600_000])!
    trace.add(`${member.machine.name} clock jumps ${ms}`)
    member.machine.jump(ms)
  }

  /** Nothing is broken any more and everybody is there, but for one. */
  async mendAll(away?: Member): Promise<void> {
    const { links, members, trace } = this.#cluster
    trace.add('everything is mended')
    links.mendAll()
    for (const member of members) {
      const { machine } = member
      machine.disk.capacityBytes = Infinity
      machine.disk.isSlow = false
      if (machine.isAsleep) this.#wake(member)
    }
    for (const member of members) {
      if (member !== away && member.machine.isDown) await this.#cluster.restart(member)
    }
  }

  #wake({ machine }: Member): void {
    machine.wake()
    this.#cluster.links.wake(machine.id)
  }

  #anyone(): Member {
    return this.#cluster.random.pick(this.#cluster.members)!
  }

  #linkFault(): LinkFault {
    return this.#cluster.random.chance(0.5) ? 'cut' : 'mute'
  }
}
