/**
 * The part of chai that interface-blockstore-tests uses, since it wants it from `aegir`, a build
 * system that we do not need otherwise. `equal` is deep always.
 */
import assert from 'node:assert/strict'

interface Chain<Self> {
  readonly to: Self
  readonly be: Self
  readonly of: Self
  readonly have: Self
  readonly with: Self
  readonly that: Self
  readonly deep: Self
  /** What follows is about what the promise resolves to, and the expectation is to be awaited. */
  readonly eventually: LaterExpectation
  /** What follows is about the reason that the promise is rejected with. */
  readonly rejected: LaterExpectation
  equal(expected: unknown): Self
  include(part: string): Self
  lengthOf(length: number): Self
  /** What follows is about the property. */
  property(name: string, expected?: unknown): Self
  ok(): Self
  true(): Self
  false(): Self
}

export interface Expectation extends Chain<Expectation> {}

export interface LaterExpectation extends Chain<LaterExpectation>, PromiseLike<unknown> {}

/** Looks at the value, and gives what the expectations after it are about. */
type Step = (value: unknown) => unknown

const FILLERS = ['to', 'be', 'of', 'have', 'with', 'that', 'deep']

export function expect(subject: unknown): Expectation {
  return chain({}, step => expect(step(subject)), subject)
}

/** The chain is itself the promise of its subject. */
function chainLater(subject: Promise<unknown>): Expectation {
  return chain(subject, step => chainLater(subject.then(step)), subject)
}

function chain(base: object, next: (step: Step) => Expectation, subject: unknown): Expectation {
  const same = (check: (value: unknown) => void): Expectation =>
    next(value => {
      check(value)
      return value
    })
  const methods = {
    equal: (expected: unknown) => same(value => assert.deepEqual(value, expected)),
    include: (part: string) =>
      same(value => assert.ok(String(value).includes(part), String(value))),
    lengthOf: (length: number) => next(propertyStep('length', length)),
    property: (name: string, expected?: unknown) => next(propertyStep(name, expected)),
    ok: () => same(value => assert.ok(value)),
    true: () => same(value => assert.equal(value, true)),
    false: () => same(value => assert.equal(value, false))
  }
  const getters: PropertyDescriptorMap = {
    eventually: { get: () => chainLater(Promise.resolve(subject).then(value => value)) },
    rejected: { get: () => chainLater(reasonOf(Promise.resolve(subject))) }
  }
  for (const filler of FILLERS) getters[filler] = { get: () => result }
  const result: Expectation = Object.defineProperties(
    Object.assign(base, methods),
    getters
  ) as never
  return result
}

function propertyStep(name: string, expected: unknown): Step {
  return value => {
    assert.ok(typeof value === 'object' && value !== null && name in value, `no ${name}`)
    const found: unknown = Reflect.get(value, name)
    if (expected !== undefined) assert.deepEqual(found, expected)
    return found
  }
}

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (reason) {
    return reason
  }
  return assert.fail('expected the promise to be rejected')
}
