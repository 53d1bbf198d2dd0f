/** `warren unshare`: takes an offer back. */
import { resolve } from 'node:path'
import { WarrenError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { TaskError, during } from '../failure.ts'
import { openHostSources } from '../host-sources.ts'
import { openHomeOffline } from '../open-warren.ts'

export const unshare: Command = defineCommand({
  name: 'unshare',
  summary: 'take back what is shared',
  usage: '<path-or-folder>',
  details:
    "Either the path that 'warren shares' lists, or the folder on this machine. The folder itself is " +
    'not touched. Who has fetched from it keeps what was fetched.',
  options: {},
  positionals: [1, 1],
  async run({ positionals: [text = ''], settings, output }) {
    await using warren = await openHomeOffline(settings)
    const sources = await openHostSources(warren, settings.directory)
    const hostPath = resolve(text)
    const source = sources.list.find(one => one.hostPath === hostPath)
    const shared = warren
      .shares()
      .find(({ path, name }) => path === text || name === text || path === source?.path)
    if (shared === undefined) {
      const error = new WarrenError('ENOENT', { message: 'it is not shared' })
      throw new TaskError(text, error, "'warren shares' lists what is")
    }
    const { path } = shared
    await during(`taking back ${path}`, warren.unshare(path))
    // What was taken in from the host goes with it; what was written here by other means stays.
    const isImported = sources.list.some(one => one.path === path)
    await sources.remove(path)
    if (isImported) await warren.fs.rm(path, { recursive: true, force: true })
    await warren.sync()
    if (output.json) await output.value({ path })
    return EXIT.done
  }
})
