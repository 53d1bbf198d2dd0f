/** Gives errors from below the shape Node gives its own: which call it was, on which path. */
import type { ErrorDetails } from '../../errors.ts'
import { WarrenError, isWarrenError } from '../../errors.ts'

export type FailureContext = Required<Pick<ErrorDetails, 'syscall'>> &
  Pick<ErrorDetails, 'path' | 'dest'>

/** Runs work; a `WarrenError` that does not say which call it comes from is made to. */
export async function attempt<Result>(
  context: FailureContext,
  work: () => Promise<Result>
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw explain(error, context)
  }
}

/** The same error, with its call and path when it has none. */
export function explain(error: unknown, context: FailureContext): unknown {
  if (!isWarrenError(error) || error.syscall !== undefined) return error
  const saysMore = error.cause !== undefined || error.message.split(': ').length > 2
  return new WarrenError(error.code, saysMore ? { ...context, cause: error } : context)
}
