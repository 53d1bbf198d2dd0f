/** SIGINT and SIGTERM: the first asks the command to end, the second does not ask. */
import { EXIT } from './exit-codes.ts'

type SignalName = 'SIGINT' | 'SIGTERM'

const EXIT_CODES: Readonly<Record<SignalName, number>> = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated
}

/** Why the signal of a command was aborted. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly exitCode: number

  constructor(signal: SignalName) {
    super(`interrupted by ${signal}`)
    this.exitCode = EXIT_CODES[signal]
  }
}

/** The signal for one command of this process. */
export function listenForInterruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODES[name])
      controller.abort(new Interruption(name))
    })
  }
  return controller.signal
}

/** Resolves when the command is asked to end. */
export function untilInterrupted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
