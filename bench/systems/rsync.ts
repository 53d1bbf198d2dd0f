/** rsync, from its own daemon in the clear, and over ssh from a server started for the purpose. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { timed } from '../side.ts'
import type { Sides, StartOptions, System } from '../system.ts'
import { findFreePort, findProgram, ForeignSide } from './foreign-processes.ts'

const FETCH_MS_MAX = 180_000
const START_MS_MAX = 10_000

/** Starts a server at A; answers what B's rsync is given to reach a path of A's. */
type Serve = (
  a: ForeignSide,
  directory: string,
  root: string,
  port: number
) => (path: string) => readonly string[]

const serveDaemon: Serve = (a, directory, root, port) => {
  const settings = [
    'use chroot = no',
    // A daemon of root's would read the files as nobody.
    `uid = ${process.getuid?.()}`,
    `gid = ${process.getgid?.()}`,
    'address = 127.0.0.1',
    `port = ${port}`,
    '[data]',
    `path = ${root}`
  ]
  const path = join(directory, 'rsyncd.conf')
  writeFileSync(path, settings.join('\n') + '\n')
  a.serve(findProgram('rsync')!, ['--daemon', '--no-detach', `--config=${path}`])
  return source => [`rsync://127.0.0.1:${port}/data${source.slice(root.length)}`]
}

const serveSsh: Serve = (a, directory, _root, port) => {
  const key = (name: string): string => {
    const path = join(directory, name)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
    return path
  }
  const [host, user] = [key('host-key'), key('user-key')]
  const settings = [
    `HostKey ${host}`,
    `AuthorizedKeysFile ${user}.pub`,
    `ListenAddress 127.0.0.1:${port}`,
    'StrictModes no',
    'PidFile none'
  ]
  const path = join(directory, 'sshd_config')
  writeFileSync(path, settings.join('\n') + '\n')
  a.serve(findProgram('sshd')!, ['-D', '-f', path])
  const unasked = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes'
  const shell = `ssh -p ${port} -i ${user} -l ${userInfo().username} ${unasked}`
  return source => ['-e', shell, `--rsync-path=${findProgram('rsync')}`, `127.0.0.1:${source}`]
}

async function start(serve: Serve, { directory }: StartOptions): Promise<Sides> {
  const [a, b] = [new ForeignSide(), new ForeignSide()]
  const port = await findFreePort()
  let from: readonly string[] = []
  return {
    provide: async source => {
      const reach = serve(a, directory, dirname(source), port)
      // A directory's contents, and not the directory in the directory.
      from = reach(statSync(source).isDirectory() ? `${source}/` : source)
      await waitForServer(port)
    },
    fetch: async target => {
      mkdirSync(dirname(target), { recursive: true })
      const signal = AbortSignal.timeout(FETCH_MS_MAX)
      return await timed(() => b.run(findProgram('rsync')!, ['-a', ...from, target], signal))
    },
    usage: async () => ({ a: a.usage(), b: b.usage() }),
    [Symbol.asyncDispose]: async () => {
      await b[Symbol.asyncDispose]()
      await a[Symbol.asyncDispose]()
    }
  }
}

async function waitForServer(port: number): Promise<void> {
  for (const began = performance.now(); performance.now() - began < START_MS_MAX;) {
    const isThere = await new Promise(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
      socket.once('close', hadError => resolve(!hadError))
    })
    if (isThere) return
    await delay(50)
  }
  throw new Error('the server did not start')
}

function rsync(name: string, programs: readonly string[], serve: Serve): System {
  const absent = programs.filter(program => findProgram(program) === undefined)
  const missing = absent.length > 0 ? { missing: `${absent.join(' and ')} not found` } : {}
  return { name, ...missing, readsRanges: false, start: options => start(serve, options) }
}

export const rsyncAll: readonly System[] = [
  rsync('rsync over ssh', ['rsync', 'ssh', 'ssh-keygen', 'sshd'], serveSsh),
  rsync('rsync daemon', ['rsync'], serveDaemon)
]
