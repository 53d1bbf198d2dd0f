/** The half of `control.ts` in the process of a verb that finds the directory in use. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { WarrenError } from '../errors.ts'
import { socketPath, terminalOf } from './control.ts'
import { EXIT } from './exit-codes.ts'
import type { Request, Sinks } from './control.ts'
import type { Sink } from './output.ts'

/** The exit code; undefined when no other process listens for the directory. */
export async function askControl(
  directory: string,
  args: readonly string[],
  { stdout, stderr, signal }: Sinks & { readonly signal: AbortSignal }
): Promise<number | undefined> {
  const path = socketPath(directory)
  const socket = path === undefined ? undefined : await open(path)
  if (socket === undefined) return undefined
  // It is told, and answers with the code that its verb ends with then.
  const leave = (): void => void socket.end()
  signal.addEventListener('abort', leave, { once: true })
  try {
    const request: Request = { args, stdout: terminalOf(stdout), stderr: terminalOf(stderr) }
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const text of linesOf(socket)) {
      const said = JSON.parse(text) as { stdout?: string; stderr?: string; exit?: number }
      if (said.exit !== undefined) {
        if (said.exit !== EXIT.done) signal.throwIfAborted()
        return said.exit
      }
      if (said.stdout !== undefined) await print(stdout, said.stdout)
      if (said.stderr !== undefined) await print(stderr, said.stderr)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw gone(error)
  } finally {
    signal.removeEventListener('abort', leave)
    socket.destroy()
  }
  signal.throwIfAborted()
  throw gone()
}

function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      if (nobody) resolve(undefined)
      else reject(error)
    })
  })
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let text = ''
  for await (const piece of socket.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (text + piece).split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
}

function print(sink: Sink, text: string): Promise<void> {
  return new Promise(resolve => {
    sink.write(text, () => resolve())
  })
}

function gone(cause?: unknown): WarrenError {
  return new WarrenError('ECONNRESET', {
    message: 'the peer that runs in the directory has ended',
    ...(cause === undefined ? {} : { cause })
  })
}
