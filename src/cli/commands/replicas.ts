/** `warren replicas`: how many copies there are to be of what is below a path. */
import type { Warren } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describePolicy } from '../describe-status.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { UsageError } from '../usage-error.ts'

export const replicas: Command = defineCommand({
  name: 'replicas',
  summary: 'show or set how many copies of a folder there are to be',
  usage: '[<path>] [<number>|all] [--minimum <number>] | --unset [<path>]',
  details:
    'For everything below the path (default: /) that nothing further down is set for. The own copy ' +
    "counts: 3 is this machine and two holders; all is a copy at every holder. 'warren status' marks " +
    'what has fewer copies than the minimum as endangered. Without a number it shows ' +
    'what counts for the path.',
  options: {
    minimum: {
      type: 'string',
      argument: '<number>',
      help: 'with fewer copies than this, data is endangered (default: 2, or 1 of 1)'
    },
    unset: { type: 'boolean', help: 'take back what was set at exactly this path' }
  },
  positionals: [0, 2],
  joins: true,
  async run({ positionals, options: { minimum, unset = false }, settings, output }) {
    const { path, count } = readArguments(positionals)
    const wanted = count === undefined ? undefined : parseReplicas(count)
    const least = minimum === undefined ? undefined : parseCount(minimum, '--minimum')
    if (unset && (count !== undefined || least !== undefined)) {
      throw new UsageError('--unset: takes a path and nothing else', 'replicas')
    }
    if (least !== undefined && wanted === undefined) {
      throw new UsageError('--minimum: say how many copies, too', 'replicas')
    }
    if (least !== undefined && typeof wanted === 'number' && least > wanted) {
      throw new UsageError(`--minimum ${least}: more than ${wanted}`, 'replicas')
    }
    await using home = await joinHome(settings, { offline: true })
    const { replication } = home.warren
    if (unset) await during(path, replication.unset(path))
    if (wanted !== undefined) {
      const policy = { replicas: wanted, ...(least === undefined ? {} : { minimum: least }) }
      await during(path, replication.set(path, policy))
    }
    const policy = await during(path, replication.policy(path))
    if (output.json) await output.value({ path, ...policy })
    else await output.line(`${path}  ${describePolicy(policy)}${whereFrom(path, policy)}`)
    return EXIT.done
  }
})

/** A path begins with `/`, a number does not. */
function readArguments(positionals: readonly string[]): {
  readonly path: string
  readonly count: string | undefined
} {
  const [first, second] = positionals
  if (first === undefined) return { path: '/', count: undefined }
  if (first.startsWith('/')) return { path: first, count: second }
  if (second !== undefined) throw new UsageError(`${first}: a path begins with /`, 'replicas')
  return { path: '/', count: first }
}

function parseReplicas(text: string): number | 'all' {
  return text === 'all' ? 'all' : parseCount(text, text.startsWith('/') ? 'path' : 'replicas')
}

function parseCount(text: string, what: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count
  throw new UsageError(`${what} ${text}: not a number from 1`, 'replicas')
}

type FoundPolicy = Awaited<ReturnType<Warren['replication']['policy']>>

function whereFrom(path: string, { from }: FoundPolicy): string {
  return from === path ? '' : `, as ${from}`
}
