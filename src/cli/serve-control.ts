/** The half of `control.ts` in the process that has the directory open. */
import { chmod, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { REQUEST_LENGTH_MAX, parseRequest, socketPath } from './control.ts'
import type { Request, Sinks } from './control.ts'
import { Interruption } from './interruption.ts'

/** Runs a command line; resolves to its exit code and never rejects. */
export type RunLine = (
  args: readonly string[],
  components: Sinks & { readonly signal: AbortSignal }
) => Promise<number>

/** The directory must be open in this process. Disposing interrupts what is under way, and waits for it. */
export async function serveControl(directory: string, run: RunLine): Promise<AsyncDisposable> {
  const path = socketPath(directory)
  if (path === undefined) return { [Symbol.asyncDispose]: async () => {} }
  const sockets = new Map<Socket, Promise<void>>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.set(socket, answer(socket, run))
    socket.once('close', () => sockets.delete(socket))
  })
  // Left by a process that was killed: nobody else has the directory.
  await rm(path, { force: true })
  await listen(server, path)
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      const answering = [...sockets.values()]
      for (const socket of sockets.keys()) socket.destroy()
      await Promise.allSettled([closed, ...answering])
    }
  }
}

async function answer(socket: Socket, run: RunLine): Promise<void> {
  const asked = new AbortController()
  const interrupt = (): void => asked.abort(new Interruption('SIGINT'))
  // A connection that breaks is closed as well. An asker that was interrupted says nothing more, and
  // still hears how it ends; that may come in one piece with what was asked.
  socket
    .on('error', () => {})
    .once('close', interrupt)
    .once('end', interrupt)
  const request = await readRequest(socket)
  if (request === undefined) {
    socket.destroy()
    return
  }
  const { args, stdout, stderr } = request
  const exit = await run(args, {
    stdout: { ...stdout, write: (data, done) => tell(socket, { stdout: textOf(data) }, done) },
    stderr: { ...stderr, write: (data, done) => tell(socket, { stderr: textOf(data) }, done) },
    signal: asked.signal
  })
  tell(socket, { exit }, () => socket.end())
}

function tell(socket: Socket, said: object, done: () => void): void {
  if (socket.destroyed) done()
  else socket.write(`${JSON.stringify(said)}\n`, () => done())
}

function textOf(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString()
}

/** Undefined for what is none. Goes on reading afterwards, so as to see the asker go. */
function readRequest(socket: Socket): Promise<Request | undefined> {
  let text = ''
  return new Promise(resolve => {
    const none = (): void => resolve(undefined)
    socket.once('close', none).once('end', none)
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text = (text + piece).slice(0, REQUEST_LENGTH_MAX + 1)
      const end = text.indexOf('\n')
      if (end >= 0) resolve(parseRequest(text.slice(0, end)))
      if (end < 0 && text.length > REQUEST_LENGTH_MAX) socket.destroy()
    })
  })
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
}
