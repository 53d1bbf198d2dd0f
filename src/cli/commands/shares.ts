/** `warren shares`: lists what is shared. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { openHostSources } from '../host-sources.ts'
import { openHomeOffline } from '../open-warren.ts'

export const shares: Command = defineCommand({
  name: 'shares',
  summary: "list what 'warren share' offers when it runs",
  usage: '',
  options: {},
  positionals: [0, 0],
  async run({ settings, output }) {
    await using warren = await openHomeOffline(settings)
    const sources = (await openHostSources(warren, settings.directory)).list
    for (const { path, name } of warren.shares()) {
      const hostPath = sources.find(source => source.path === path)?.hostPath
      if (output.json) await output.value({ path, name, ...(hostPath && { hostPath }) })
      else await output.line(`${path}  ${name}${hostPath === undefined ? '' : `  ${hostPath}`}`)
    }
    return EXIT.done
  }
})
