/** Steps that use the files of a cluster: changes of own volumes, and looks at own and others'. */
import { createHash } from 'node:crypto'
import { contentOf } from '../warren/tree-model.ts'
import type { Cluster, Member } from './cluster.ts'
import { DIRECTORIES, SHARED, mountOf } from './cluster.ts'
import type { Outcome } from './operations.ts'
import { require } from './violation.ts'
import type { TreeState } from './volume-history.ts'

const NAMES = ['one', 'two', 'three', 'four', 'five']

/** In the tree, and in one, a few and a dozen blocks. */
const SIZES = [0, 10, 10, 500, 500, 3_000, 3_000, 13_000, 20_000, 50_000]

/** Reads of one machine at once. */
const READS_MAX = 4

/** Contents that can still be appended to. */
const CONTENTS_MAX = 500

export class FileSteps {
  readonly #cluster: Cluster
  /** Bytes by what `describe` says of them. */
  readonly #contents = new Map<string, Uint8Array>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  write(member: Member): void {
    const path = this.#path()
    const bytes = this.#content()
    const flush = this.#cluster.random.chance(0.2)
    const next = new Map(member.history.newest).set(path, this.#describe(bytes))
    this.#change(member, `write ${path} ${bytes.length} ${flush}`, [next], {
      work: () => member.machine.warren!.fs.writeFile(SHARED + path, bytes, { flush }),
      isDurable: flush
    })
  }

  append(member: Member): void {
    const path = this.#path()
    const now = member.history.newest
    const before = now.get(path)
    const beginning = before === undefined ? new Uint8Array(0) : this.#contents.get(before)
    if (beginning === undefined) return
    const bytes = this.#content().subarray(0, 5_000)
    const whole = Buffer.concat([beginning, bytes])
    const made = new Map(now).set(path, before ?? this.#describe(beginning))
    const next = new Map(now).set(path, this.#describe(new Uint8Array(whole)))
    this.#change(member, `append ${path} ${bytes.length}`, [made, next], {
      work: () => member.machine.warren!.fs.appendFile(SHARED + path, bytes)
    })
  }

  remove(member: Member): void {
    const path = this.#anyFile(member)
    if (path === undefined) return
    const next = new Map(member.history.newest)
    next.delete(path)
    const work = (): Promise<void> => member.machine.warren!.fs.unlink(SHARED + path)
    this.#change(member, `remove ${path}`, [next], { work })
  }

  rename(member: Member): void {
    const path = this.#anyFile(member)
    const to = this.#path()
    if (path === undefined || path === to) return
    const next = new Map(member.history.newest)
    next.set(to, next.get(path)!)
    next.delete(path)
    const work = (): Promise<void> => member.machine.warren!.fs.rename(SHARED + path, SHARED + to)
    this.#change(member, `rename ${path} ${to}`, [next], { work })
  }

  sync(member: Member): void {
    const { history, machine } = member
    const number = history.settled
    this.#cluster.trace.add(`${machine.name} sync ${number}`)
    this.#cluster.operations.begin(
      machine,
      'sync',
      () => machine.warren!.sync(),
      outcome => {
        this.#cluster.trace.add(
          `${machine.name} sync: ${'code' in outcome ? outcome.code : number}`
        )
        if ('value' in outcome) history.durable = Math.max(history.durable, number)
      }
    )
  }

  collect(member: Member): void {
    const { machine } = member
    this.#cluster.trace.add(`${machine.name} collect`)
    this.#cluster.operations.begin(machine, 'collect', () => machine.warren!.collect())
  }

  /** What was written is read, before it is on disk too. */
  readOwn(member: Member): void {
    const from = member.history.settled
    this.#look(member, member, { from, root: SHARED, kind: 'own-' }, () => {})
  }

  /** Never older than what was seen before. */
  readOther(member: Member): void {
    const { random, members } = this.#cluster
    const owner = random.pick(members.filter(other => other !== member))!
    const from = member.seen.get(owner) ?? 0
    this.#look(member, owner, { from, root: mountOf(owner), kind: 'other-' }, number => {
      member.seen.set(owner, Math.max(number, member.seen.get(owner) ?? 0))
    })
  }

  #look(
    member: Member,
    owner: Member,
    { from, root, kind }: { readonly from: number; readonly root: string; readonly kind: string },
    found: (number: number) => void
  ): void {
    const { operations, random, trace } = this.#cluster
    const { machine } = member
    if (operations.countOf(machine) >= READS_MAX) return
    const path = random.chance(0.3) ? random.pick(DIRECTORIES)! : this.#path()
    const isDirectory = DIRECTORIES.includes(path)
    const what = `${isDirectory ? `${kind}list` : `${kind}read`} ${root}${path}`
    trace.add(`${machine.name} ${what} from ${from}`)
    const { fs } = machine.warren!
    const work = async (): Promise<string> =>
      isDirectory
        ? (await fs.readdir(root + path)).sort().join(' ')
        : describe(await fs.readFile(root + path))
    operations.begin(machine, what, work, outcome => {
      const seen = seenIn(outcome)
      if (seen === undefined) return
      const number = owner.history.find(from, state =>
        isDirectory ? namesIn(state, path) === seen : (state.get(path) ?? 'ENOENT') === seen
      )
      require(number !== undefined, () => {
        return `${machine.name} ${what} saw ${seen}, which was not so since state ${from}`
      })
      trace.add(`${machine.name} ${what} is as in ${number}`)
      found(number)
    })
  }

  #change(
    member: Member,
    what: string,
    states: readonly TreeState[],
    {
      work,
      isDurable = false
    }: { readonly work: () => Promise<void>; readonly isDurable?: boolean }
  ): void {
    const { trace, operations } = this.#cluster
    const { machine, history } = member
    const before = history.settled
    const number = history.push(...states)
    member.isChanging = true
    trace.add(`${machine.name} ${what}: state ${number}`)
    operations.begin(machine, what, work, outcome => {
      trace.add(`${machine.name} ${what}: ${'code' in outcome ? outcome.code : 'done'}`)
      if ('value' in outcome) {
        history.settled = number
        if (isDurable) history.durable = Math.max(history.durable, number)
        member.isChanging = false
        return
      }
      // What it has become is looked at; until then nothing else is changed.
      const start = machine.starts
      operations.begin(machine, 'look', async () => {
        if (machine.isUp && machine.starts === start) await this.#cluster.look(member, before)
      })
    })
  }

  #path(): string {
    const { random } = this.#cluster
    return `${random.pick(DIRECTORIES)!}/${random.pick(NAMES)!}`
  }

  #anyFile(member: Member): string | undefined {
    const files = [...member.history.newest].filter(([, content]) => content !== '/')
    return this.#cluster.random.pick(files)?.[0]
  }

  #content(): Uint8Array {
    const { random } = this.#cluster
    return contentOf({ seed: random.below(2 ** 31), bytes: random.pick(SIZES)! })
  }

  #describe(bytes: Uint8Array): string {
    const described = describe(bytes)
    this.#contents.set(described, bytes)
    if (this.#contents.size > CONTENTS_MAX) {
      for (const oldest of this.#contents.keys()) {
        this.#contents.delete(oldest)
        break
      }
    }
    return described
  }
}

/** Undefined when nothing was seen, because it could not be had. */
function seenIn(outcome: Outcome<string>): string | undefined {
  if ('value' in outcome) return outcome.value
  return outcome.code === 'ENOENT' ? 'ENOENT' : undefined
}

function namesIn(state: TreeState, directory: string): string {
  const names = [...state.keys()].filter(path => path.startsWith(`${directory}/`))
  return names
    .map(path => path.slice(directory.length + 1))
    .sort()
    .join(' ')
}

/** As `describeTree` does. */
function describe(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return `${bytes.length}:${hash}`
}
