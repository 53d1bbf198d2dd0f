/**
 * The contract of a verb: `warren <name> …`. Each stands in a file of its own under `commands/`
 * and says itself what it takes, so that the help and the parsing cannot disagree.
 */
import type { Warren } from '../index.ts'
import type { Output } from './output.ts'
import type { RunLine } from './serve-control.ts'
import type { Settings } from './settings.ts'

export interface OptionDefinition {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** What stands for the value in the help: `<seconds>`. */
  readonly argument?: string
  readonly help: string
}

export type OptionTable = Readonly<Record<string, OptionDefinition>>

type OptionValue<Definition extends OptionDefinition> = Definition['type'] extends 'boolean'
  ? boolean
  : Definition['multiple'] extends true
    ? readonly string[]
    : string

export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: OptionValue<Table[Name]> | undefined
}

/** One call of a verb. */
export interface Invocation<Table extends OptionTable = OptionTable> {
  readonly positionals: readonly string[]
  readonly options: OptionValues<Table>
  readonly settings: Settings
  readonly output: Output
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Runs verbs that `joins` beside this one, with a peer that this one has open. */
  readonly runLine: (home: Warren) => RunLine
}

export interface Command<Table extends OptionTable = OptionTable> {
  readonly name: string
  /** What it does, in a few words without a full stop. */
  readonly summary: string
  /** What follows the name: `<link> [<folder>]`. */
  readonly usage: string
  /** More of it for `warren help <name>`. */
  readonly details?: string
  /** Beside the options that every verb has. */
  readonly options: Table
  /** Whether it works in the peer that another process runs in the directory. Default false. */
  readonly joins?: boolean
  /** How many positional arguments there may be. */
  readonly positionals: readonly [min: number, max: number]
  /** Resolves to the exit code. */
  run(invocation: Invocation<Table>): Promise<number>
}

/** Checks a verb against the types of its own options, and forgets them. */
export function defineCommand<const Table extends OptionTable>(command: Command<Table>): Command {
  return command as unknown as Command
}
