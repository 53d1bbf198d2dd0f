/** A peer's half of `peer-process.ts`: does what the parent says, one message at a time. */
import type { TransferProgress } from 'warren'

/** What the parent sends, and what it gets. */
export interface Question {
  readonly id: number
  readonly verb: string
  readonly args: readonly unknown[]
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly progress: TransferProgress }

/** What a parent may ask, with its arguments and what comes back. All of it travels as JSON does. */
export type VerbsOf<Verbs> = Readonly<Record<keyof Verbs, (...args: never[]) => unknown>>

export type Answering<Verbs extends VerbsOf<Verbs>> = {
  readonly [Verb in keyof Verbs]: (
    ...args: Parameters<Verbs[Verb]>
  ) => ReturnType<Verbs[Verb]> | Promise<ReturnType<Verbs[Verb]>>
}

/** The id under which the parent awaits the start. */
export const STARTED = 0

/** `started` is what the parent gets first. The process ends when the parent does. */
export function answerParent<Verbs extends VerbsOf<Verbs>>(
  verbs: Answering<Verbs>,
  started: string
): void {
  process.on('message', (question: Question) => void answer(verbs, question))
  process.on('disconnect', () => process.exit())
  say({ id: STARTED, value: started })
}

/** For `onProgress` of a transfer. */
export function tellProgress(progress: TransferProgress): void {
  say({ progress })
}

async function answer(verbs: object, { id, verb, args }: Question): Promise<void> {
  try {
    const work = (verbs as Record<string, (...args: readonly unknown[]) => unknown>)[verb]!
    say({ id, value: await work(...args) })
  } catch (error) {
    say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function say(answer: Answer): void {
  process.send?.(answer)
}
