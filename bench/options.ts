/** What was asked for on the command line. What cannot be is said, and ends the process with 2. */
import { parseArgs } from 'node:util'

export interface Options {
  readonly size: 'full' | 'small' | 'tiny'
  /** The scale curves instead of the workloads. */
  readonly scale: boolean
  readonly runs: number
  /** Floors and workloads, by name. */
  readonly only: readonly string[]
  /** `all`, `none`, or names of systems with commas between. */
  readonly peers: string
  readonly nodeFlags: readonly string[]
  readonly profile: boolean
  readonly json?: string
}

const KNOWN = {
  full: { type: 'boolean', default: false },
  tiny: { type: 'boolean', default: false },
  scale: { type: 'boolean', default: false },
  runs: { type: 'string', default: '3' },
  only: { type: 'string' },
  peers: { type: 'string' },
  'node-flags': { type: 'string', default: '' },
  profile: { type: 'boolean', default: false },
  json: { type: 'string' }
} as const

export function readOptions(known: readonly string[]): Options {
  const { values } = parse(known)
  const only = values.only?.split(',') ?? known
  const runs = Number(values.runs)
  if (!only.every(name => known.includes(name)) || !(runs >= 1)) {
    refuse(known)
  }
  return {
    size: values.full ? 'full' : values.tiny ? 'tiny' : 'small',
    scale: values.scale,
    runs,
    only,
    peers: values.peers ?? (values.tiny ? 'none' : 'all'),
    nodeFlags: values['node-flags'].split(' ').filter(flag => flag !== ''),
    profile: values.profile,
    ...(values.json === undefined ? {} : { json: values.json })
  }
}

function parse(known: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof KNOWN }>> {
  const args = process.argv.slice(2)
  // What begins with a dash is taken for a value behind a `=` only.
  const at = args.indexOf('--node-flags')
  if (at >= 0) args.splice(at, 2, `--node-flags=${args[at + 1] ?? ''}`)
  try {
    return parseArgs({ args, options: KNOWN })
  } catch (error) {
    return refuse(known, error)
  }
}

function refuse(known: readonly string[], reason: unknown = ''): never {
  console.error(`${String(reason)}
usage: npm run bench -- [--full | --tiny] [--scale] [--runs N] [--only ${known.join(',')}]
  [--peers all|none|NAME,…] [--node-flags "…"] [--profile] [--json FILE]`)
  process.exit(2)
}
