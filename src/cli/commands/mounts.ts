/** `warren mounts`: lists what is mounted. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { openHomeOffline } from '../open-warren.ts'

export const mounts: Command = defineCommand({
  name: 'mounts',
  summary: 'list what is mounted',
  usage: '',
  options: {},
  positionals: [0, 0],
  async run({ settings, output }) {
    await using warren = await openHomeOffline(settings)
    for (const { path, link, volume, writable } of warren.mounts()) {
      if (output.json) await output.value({ path, link, volume, writable })
      else await output.line(`${path}  ${link}`)
    }
    return EXIT.done
  }
})
