/** Runs one command line: finds the verb, reads its options, tells what went wrong. */
import { inspect, parseArgs, stripVTControlCharacters } from 'node:util'
import type { Warren } from '../index.ts'
import { askControl } from './ask-control.ts'
import type { Command, OptionTable } from './command.ts'
import { COMMANDS } from './commands.ts'
import { EXIT } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { commandHelp, overview } from './help.ts'
import { hideSecrets } from './hide-secrets.ts'
import { Interruption } from './interruption.ts'
import { Output } from './output.ts'
import type { Sink } from './output.ts'
import type { RunLine } from './serve-control.ts'
import { GLOBAL_OPTIONS, readSettings } from './settings.ts'
import { UsageError } from './usage-error.ts'

export interface RunComponents {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly environment: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** The peer that this process has open already: then only verbs that `joins` are run. */
  readonly home?: Warren
}

interface Components extends RunComponents {
  readonly output: Output
}

/** Resolves to the exit code. Never rejects. */
export async function run(args: readonly string[], components: RunComponents): Promise<number> {
  const { stdout, stderr, signal, environment } = components
  // Known before anything else, because a wrong command line is an error for programs too.
  const output = new Output(stdout, stderr, { json: args.includes('--json') })
  try {
    return await dispatch(args, { ...components, output })
  } catch (error) {
    if (signal.reason instanceof Interruption) return signal.reason.exitCode
    const failure = describeFailure(error)
    output.failure(failure)
    if (environment.WARREN_DEBUG === '1') console.error(hideSecrets(inspect(error)))
    return failure.exitCode
  } finally {
    await output.flush()
  }
}

async function dispatch(args: readonly string[], components: Components): Promise<number> {
  const { verb, rest } = splitVerb(args)
  if (verb === undefined) {
    if (rest.includes('--version')) return await runCommand('version', [], components)
    if (rest.includes('--help') || rest.includes('-h')) {
      await print(components.output, overview(COMMANDS))
      return EXIT.done
    }
    throw new UsageError('no command')
  }
  return await runCommand(verb, rest, components)
}

async function runCommand(
  verb: string,
  args: readonly string[],
  components: Components
): Promise<number> {
  const { output, environment, signal, home } = components
  const command = COMMANDS.find(({ name }) => name === verb)
  if (command === undefined) throw new UsageError(`no command is called '${verb}'`)
  const { values, positionals } = parse(command, args)
  if (values.help === true) {
    await print(output, commandHelp(command))
    return EXIT.done
  }
  const [min, max] = command.positionals
  if (positionals.length < min) {
    throw new UsageError(`${verb} needs more: ${verb} ${command.usage}`, verb)
  }
  if (positionals.length > max) {
    throw new UsageError(`'${positionals[max]}' is too much: ${verb} ${command.usage}`, verb)
  }
  const settings = { ...readSettings(values, environment), ...(home === undefined ? {} : { home }) }
  if (home === undefined && command.joins === true) {
    const exitCode = await askControl(settings.directory, [verb, ...args], components)
    if (exitCode !== undefined) return exitCode
  }
  if (home !== undefined && command.joins !== true) {
    throw new UsageError(`${verb} is not for a peer that runs already`, verb)
  }
  const runLine =
    (home: Warren): RunLine =>
    (line, others) =>
      run(line, { environment, home, ...others })
  return await command.run({ positionals, options: values, settings, output, signal, runLine })
}

/** The verb is the first word that is not an option of every verb, or the value of one. */
function splitVerb(args: readonly string[]): {
  readonly verb: string | undefined
  readonly rest: readonly string[]
} {
  const { tokens } = parseArgs({
    args: [...args],
    options: parserOptions(GLOBAL_OPTIONS),
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  const verb = tokens.find(token => token.kind === 'positional')
  if (verb === undefined) return { verb: undefined, rest: args }
  return { verb: verb.value, rest: args.toSpliced(verb.index, 1) }
}

function parse(
  command: Command,
  args: readonly string[]
): {
  readonly values: Record<string, never>
  readonly positionals: readonly string[]
} {
  const options = parserOptions({ ...GLOBAL_OPTIONS, ...command.options })
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true })
    return { values: parsed.values as Record<string, never>, positionals: parsed.positionals }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    // Node adds advice for programmers after the first sentence.
    const [sentence = ''] = stripVTControlCharacters(message).split(/\. |\n/)
    throw new UsageError(sentence, command.name)
  }
}

type ParserOptions = Record<
  string,
  { type: 'string' | 'boolean'; short?: string; multiple?: boolean }
>

function parserOptions(table: OptionTable): ParserOptions {
  return Object.fromEntries(
    Object.entries(table).map(([name, { type, short, multiple }]) => [
      name,
      {
        type,
        ...(short === undefined ? {} : { short }),
        ...(multiple === undefined ? {} : { multiple })
      }
    ])
  )
}

async function print(output: Output, lines: readonly string[]): Promise<void> {
  for (const line of lines) await output.line(line)
}
