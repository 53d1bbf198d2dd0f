/** Arguments that Node takes in several forms, in one. */
import { WarrenError } from '../../errors.ts'
import type { TimeLike } from './file-handle.ts'
import { misuse } from './paths.ts'
import type { EncodingOption, TextEncoding } from './text.ts'

const PERMISSION_BITS = 0o7777

/** Permission bits as a number or octal text. */
export function parseMode(mode: number | string | null | undefined, byDefault: number): number {
  if (mode === null || mode === undefined) return byDefault
  const bits = typeof mode === 'string' && /^[0-7]+$/.test(mode) ? Number.parseInt(mode, 8) : mode
  if (typeof bits !== 'number' || !Number.isInteger(bits) || bits < 0) {
    throw misuse(
      `The argument 'mode' must be a 32-bit unsigned integer or an octal string. Received '${mode}'`,
      'ERR_INVALID_ARG_VALUE'
    )
  }
  return bits & PERMISSION_BITS
}

/** Milliseconds since 1970 from seconds, text of seconds, or a date. */
export function parseTime(time: TimeLike): number {
  const ms = time instanceof Date ? time.getTime() : Number(time) * 1000
  if (!Number.isFinite(ms) || time === '') {
    throw misuse(
      `The "time" argument must be a number or a Date. Received ${String(time)}`,
      'ERR_INVALID_ARG_TYPE'
    )
  }
  // Seconds as a float do not hold a whole number of milliseconds exactly.
  return Math.round(ms * 1e3) / 1e3
}

/** Options that may be given as an encoding alone. */
export function withEncoding<Options extends { readonly encoding?: EncodingOption | undefined }>(
  options: Options | EncodingOption | undefined
): Partial<Options> & { readonly encoding?: EncodingOption | undefined } {
  if (typeof options === 'string') return { encoding: options } as Partial<Options>
  return options ?? {}
}

/** The encoding of text to be written. */
export function textEncoding(encoding: EncodingOption | undefined): TextEncoding | undefined {
  return encoding === null || encoding === 'buffer' ? undefined : encoding
}

/** An integer of at least 0. Throws a `RangeError` as Node does. */
export function expectLength(
  value: number,
  argument: string,
  max: number = Number.MAX_SAFE_INTEGER
): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw Object.assign(
    new RangeError(
      `The value of "${argument}" is out of range. It must be >= 0 && <= ${max}. Received ${value}`
    ),
    { code: 'ERR_OUT_OF_RANGE' }
  )
}

/** Throws `EINVAL` for what is no number of copies. */
export function requireCopies(durable: number): void {
  if (Number.isSafeInteger(durable) && durable >= 0) return
  throw new WarrenError('EINVAL', { message: `durable is ${durable}` })
}
