/** Syncthing: two instances over loopback TCP and TLS, without discovery, driven by their REST API. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { timed } from '../side.ts'
import type { Sides, StartOptions, System } from '../system.ts'
import { findFreePort, findProgram, ForeignSide } from './foreign-processes.ts'

const FETCH_MS_MAX = 180_000
const START_MS_MAX = 30_000
const LOOK_EVERY_MS = 20
const FOLDER = 'data'
const KEY = 'warren-bench'

interface Status {
  readonly state: string
  readonly globalFiles: number
  readonly localFiles: number
  readonly needTotalItems: number
}

class Instance {
  readonly side = new ForeignSide()
  readonly device: string
  readonly #home: string
  readonly #program = findProgram('syncthing')!
  #api = ''
  address = ''

  constructor(home: string) {
    this.#home = home
    mkdirSync(home, { recursive: true })
    const flags = ['--no-default-folder', '--skip-port-probing', `--home=${home}`]
    execFileSync(this.#program, ['generate', ...flags], { stdio: 'ignore' })
    this.device = execFileSync(this.#program, ['--device-id', `--home=${home}`], {
      encoding: 'utf8'
    }).trim()
  }

  async start(): Promise<void> {
    const gui = `127.0.0.1:${await findFreePort()}`
    this.#api = `http://${gui}/rest`
    this.address = `tcp://127.0.0.1:${await findFreePort()}`
    const flags = ['--no-browser', '--no-upgrade', '--no-restart', `--gui-apikey=${KEY}`]
    this.side.serve(this.#program, [
      'serve',
      `--home=${this.#home}`,
      `--gui-address=${gui}`,
      ...flags
    ])
    await until(START_MS_MAX, () => this.#ask('GET', 'system/ping').catch(() => false))
    await this.#ask('PATCH', 'config/options', {
      listenAddresses: [this.address],
      globalAnnounceEnabled: false,
      localAnnounceEnabled: false,
      relaysEnabled: false,
      natEnabled: false,
      crashReportingEnabled: false,
      urAccepted: -1,
      // A changed configuration makes the two connect anew, after a minute by default.
      reconnectionIntervalS: 1
    })
  }

  async know(other: Instance): Promise<void> {
    await this.#ask('POST', 'config/devices', {
      deviceID: other.device,
      addresses: [other.address]
    })
  }

  async share(path: string, type: 'sendonly' | 'receiveonly', other: Instance): Promise<void> {
    await this.#ask('POST', 'config/folders', {
      id: FOLDER,
      path,
      type,
      devices: [{ deviceID: this.device }, { deviceID: other.device }],
      fsWatcherEnabled: false
    })
  }

  async status(): Promise<Status> {
    return (await this.#ask('GET', `db/status?folder=${FOLDER}`)) as Status
  }

  async isConnectedTo(other: Instance): Promise<boolean> {
    const answer = await this.#ask('GET', 'system/connections')
    const { connections } = answer as { connections: Record<string, { connected: boolean }> }
    return connections[other.device]?.connected === true
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#api}/${path}`, {
      method,
      headers: { 'X-API-Key': KEY },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
    return await response.json().catch(() => true)
  }
}

async function start({ directory }: StartOptions): Promise<Sides> {
  const a = new Instance(join(directory, 'a'))
  const b = new Instance(join(directory, 'b'))
  const stop = async (): Promise<void> => {
    await b.side[Symbol.asyncDispose]()
    await a.side[Symbol.asyncDispose]()
  }
  try {
    await Promise.all([a.start(), b.start()])
  } catch (error) {
    await stop()
    throw error
  }
  let files = 0
  return {
    provide: async source => {
      // It leaves a mark in what it shares, and always shares a directory.
      const shared = join(directory, 'shared')
      files = linkAll(source, join(shared, basename(source)))
      await Promise.all([a.know(b), b.know(a)])
      await a.share(shared, 'sendonly', b)
      await until(FETCH_MS_MAX, async () => {
        const { state, localFiles } = await a.status()
        return state === 'idle' && localFiles === files && (await b.isConnectedTo(a))
      })
    },
    fetch: target =>
      timed(async () => {
        await b.share(dirname(target), 'receiveonly', a)
        await until(FETCH_MS_MAX, async () => {
          const { state, localFiles, needTotalItems } = await b.status()
          return state === 'idle' && localFiles === files && needTotalItems === 0
        })
      }),
    usage: async () => ({ a: a.side.usage(), b: b.side.usage() }),
    [Symbol.asyncDispose]: stop
  }
}

async function until(msMax: number, isSo: () => Promise<unknown>): Promise<void> {
  for (const began = performance.now(); performance.now() - began < msMax;) {
    if (await isSo()) return
    await delay(LOOK_EVERY_MS)
  }
  throw new Error(`not done within ${msMax} ms`)
}

/** Answers how many files there are. */
function linkAll(source: string, target: string): number {
  mkdirSync(dirname(target), { recursive: true })
  if (statSync(source).isFile()) {
    linkSync(source, target)
    return 1
  }
  const names = readdirSync(source)
  return names.reduce((sum, name) => sum + linkAll(join(source, name), join(target, name)), 0)
}

const missing =
  findProgram('syncthing') === undefined ? { missing: 'syncthing not found' } : undefined

export const syncthing: System = { name: 'Syncthing', ...missing, readsRanges: false, start }
