/** `warren unmount`: takes a mount out of this peer's namespace. */
import { WarrenError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { TaskError, during } from '../failure.ts'
import { openHomeOffline } from '../open-warren.ts'

export const unmount: Command = defineCommand({
  name: 'unmount',
  summary: 'take a mount out of the own namespace',
  usage: '<path>',
  options: {},
  positionals: [1, 1],
  async run({ positionals: [path = ''], settings, output }) {
    await using warren = await openHomeOffline(settings)
    if (!warren.mounts().some(mount => mount.path === path)) {
      const error = new WarrenError('ENOENT', { message: 'nothing is mounted there' })
      throw new TaskError(path, error, "'warren mounts' lists what is")
    }
    await during(`unmounting ${path}`, warren.unmount(path))
    if (output.json) await output.value({ path })
    return EXIT.done
  }
})
