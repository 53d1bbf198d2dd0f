/**
 * What is told about an error: one line that says what was tried and why it failed, a hint where
 * one helps, and an exit code. Stack traces are for `WARREN_DEBUG=1` only.
 */
import { EXIT } from './exit-codes.ts'
import { hideSecrets } from './hide-secrets.ts'
import { UsageError } from './usage-error.ts'

export interface Failure {
  /** A code of `WarrenError` or of Node, `EUSAGE`, or `EUNKNOWN`. */
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly exitCode: number
}

/** An error together with what was being done, for people: `mounting the link`. */
export class TaskError extends Error {
  override readonly name = 'TaskError'
  readonly hint: string | undefined

  constructor(task: string, cause: unknown, hint?: string) {
    super(task, { cause })
    this.hint = hint
  }
}

/** Waits for something; when it fails, tells what it was. Hints are for every failure, or by code. */
export async function during<Value>(
  task: string,
  work: Promise<Value>,
  hints: string | Readonly<Record<string, string>> = {}
): Promise<Value> {
  try {
    return await work
  } catch (error) {
    if (error instanceof UsageError) throw error
    const hint = typeof hints === 'string' ? hints : hints[codeOf(error)]
    throw new TaskError(task, error, hint)
  }
}

export function describeFailure(error: unknown): Failure {
  const tasks: string[] = []
  let hint: string | undefined
  let cause = error
  while (cause instanceof TaskError) {
    tasks.push(cause.message)
    hint ??= cause.hint
    cause = cause.cause
  }
  const code = codeOf(cause)
  hint ??= cause instanceof UsageError ? helpFor(cause) : HINTS[code]
  return {
    code,
    message: hideSecrets([...tasks, reasonOf(cause)].join(': ')),
    exitCode: EXIT_OF_CODE[code] ?? EXIT.failed,
    ...(hint === undefined ? {} : { hint })
  }
}

/** The code of an error; what an expired deadline aborts with counts as `ETIMEDOUT`. */
export function codeOf(error: unknown): string {
  if (error instanceof UsageError) return 'EUSAGE'
  if (!(error instanceof Error)) return 'EUNKNOWN'
  if (error.name === 'TimeoutError') return 'ETIMEDOUT'
  return 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN'
}

/** Why, without the code: `ENOENT: no such file or directory, open 'x'` keeps its second half. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'the deadline passed'
  return error.message.replace(/^[A-Z][A-Z0-9_]+: /, '')
}

const EXIT_OF_CODE: Readonly<Record<string, number>> = {
  EUSAGE: EXIT.usage,
  EINVAL: EXIT.usage,
  EHOSTUNREACH: EXIT.unreachable,
  ETIMEDOUT: EXIT.unreachable,
  ECONNRESET: EXIT.unreachable,
  ENOENT: EXIT.missing,
  ENOTDIR: EXIT.missing,
  EBUSY: EXIT.busy
}

const HINTS: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'is the peer that shares it running, and on the same network?',
  ETIMEDOUT: 'a longer wait is --timeout <seconds>',
  EDQUOT: "'warren pledge' shows what this peer stores for others, and sets it",
  EBUSY: 'end the other process, or use another one with --directory <folder>'
}

function helpFor({ command }: UsageError): string {
  return command === undefined ? "see 'warren help'" : `see 'warren help ${command}'`
}
