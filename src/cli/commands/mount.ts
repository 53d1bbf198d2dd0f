/** `warren mount`: makes what a link names part of this peer's namespace. */
import { posix } from 'node:path'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { openHome } from '../open-warren.ts'
import { asUsage, isLink, nameOfLink } from '../link.ts'
import { UsageError } from '../usage-error.ts'

export const mount: Command = defineCommand({
  name: 'mount',
  summary: 'make what a link names part of the own namespace',
  usage: '<link> [<path>] [--offline]',
  details:
    'At the path, or at one that is called like the share. Mounts are kept: ls, cat and stat take ' +
    'paths below them from now on.',
  options: {
    offline: { type: 'boolean', help: 'do not mind when nobody who has it is there now' }
  },
  positionals: [1, 2],
  async run({ positionals, options: { offline = false }, settings, output, signal }) {
    const [link = '', path = `/${nameOfLink(link)}`] = positionals
    if (!isLink(link)) throw new UsageError(`${link}: not a link (warren:…)`, 'mount')
    if (!path.startsWith('/')) throw new UsageError(`${path}: a path begins with /`, 'mount')
    await using warren = await openHome(settings)
    const parent = posix.dirname(posix.normalize(path))
    await warren.fs.mkdir(parent, { recursive: true })
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)])
    const work = warren.mount(path, link, { offline, signal: deadline })
    await during(`mounting at ${path}`, asUsage(work))
    await warren.sync()
    if (output.json) await output.value({ path, link })
    else output.note(`mounted at ${path}`)
    return EXIT.done
  }
})
