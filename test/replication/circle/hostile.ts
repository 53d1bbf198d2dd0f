/** Messages as a hostile peer makes them: a good one, spoilt in every simple way. */
import assert from 'node:assert/strict'
import { decode, encode } from 'cborg'

/** Values of every kind; no field of ours accepts all of them. */
const NONSENSE: readonly unknown[] = [
  null,
  true,
  -2,
  1.5,
  NaN,
  2 ** 60,
  '',
  'text\n',
  '\ud800',
  new Uint8Array(0),
  new Uint8Array(31),
  new Uint8Array(33),
  [],
  [[]],
  [null],
  {},
  { length: 1 }
]

/**
 * The message without each of its fields, with one more, and with nonsense at each place of each
 * depth; a reader must refuse all that does not happen to be good.
 */
export function spoil(good: unknown): unknown[] {
  const all: unknown[] = [...NONSENSE]
  if (Array.isArray(good)) {
    all.push(good.slice(1), good.slice(0, -1), [...good, 0])
    for (const [index, item] of good.entries()) {
      for (const worse of spoil(item)) all.push(good.with(index, worse))
    }
  } else if (isMap(good)) {
    all.push({ ...good, extra: 1 }, Object.entries(good))
    for (const key of Object.keys(good)) {
      const { [key]: _, ...rest } = good
      all.push(rest)
      for (const worse of spoil(good[key])) all.push({ ...good, [key]: worse })
    }
  }
  return all
}

/** Nothing of what is spoilt is read as anything but what it says, and nothing else is thrown. */
export function refusesAll(
  read: (body: unknown) => unknown,
  write: (value: never) => unknown,
  good: unknown
): void {
  assert.deepEqual(write(read(good) as never), good)
  let refused = 0
  for (const body of spoil(good)) {
    let value: unknown
    try {
      value = read(body)
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'EPROTO', String(error))
      refused++
      continue
    }
    assert.deepEqual(write(value as never), body)
  }
  assert.ok(refused > NONSENSE.length / 2, `${refused} refused`)
}

/** What arrives of a body that was sent. */
export function travelled(body: unknown): unknown {
  return decode(encode(body))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}
