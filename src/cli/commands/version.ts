/** `warren version`. */
import { readFile } from 'node:fs/promises'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

export const version: Command = defineCommand({
  name: 'version',
  summary: 'print the version',
  usage: '',
  options: {},
  positionals: [0, 0],
  async run({ output }) {
    // As far up from the sources as from what is built of them.
    const manifest = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(manifest) as { readonly version: string }
    if (output.json) await output.value({ version, node: process.versions.node })
    else await output.line(version)
    return EXIT.done
  }
})
