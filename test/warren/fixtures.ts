/**
 * Warrens for tests, in this process, over TCP on the loopback address.
 *
 * Exports: `LOOPBACK` options; `startWarren(options?)`, meant for `await using alice = …`;
 * `rejectsWith(work, code, details?)`; `eventually(check, ms?)`; `timed(work)`.
 */
import assert from 'node:assert/strict'
import { createWarren } from '../../src/index.ts'
import type { ErrorCode, Warren, WarrenOptions } from '../../src/index.ts'

export { eventually } from '../fixtures/eventually.ts'

export const LOOPBACK = { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false } as const

export function startWarren(options: WarrenOptions = {}): Promise<Warren> {
  return createWarren({ ...LOOPBACK, ...options })
}

export interface Rejection {
  readonly syscall?: string
  readonly path?: string
  readonly message?: RegExp
}

/** Waits for work to fail with exactly this code, and with these details where they are given. */
export async function rejectsWith(
  work: Promise<unknown>,
  code: ErrorCode,
  { message, ...details }: Rejection = {}
): Promise<void> {
  await assert.rejects(work, (thrown: unknown) => {
    const error = thrown as Error & Rejection & { readonly code?: string }
    assert.equal(error.code, code, String(error.stack))
    for (const [name, value] of Object.entries(details)) {
      assert.equal(error[name as keyof Rejection], value, `${name} of ${error.message}`)
    }
    if (message !== undefined) assert.match(error.message, message)
    return true
  })
}

/** How long work takes, beside what it resolves to. */
export async function timed<Result>(
  work: () => Promise<Result>
): Promise<{ readonly result: Result; readonly milliseconds: number }> {
  const began = performance.now()
  const result = await work()
  return { result, milliseconds: performance.now() - began }
}

/** The address of nobody: a port of this machine that was free a moment ago. */
export async function vacantLink(): Promise<string> {
  await using gone = await startWarren()
  return await gone.share('/')
}
