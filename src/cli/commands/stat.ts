/** `warren stat`: prints the attributes of a file or directory. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describeEntry } from '../entry.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { titleOf } from '../link.ts'
import { openTarget } from '../target.ts'
import { formatBytes } from '../units.ts'

export const stat: Command = defineCommand({
  name: 'stat',
  summary: 'print the attributes of a file or directory',
  usage: '<link> [<path>] | <path>',
  options: {},
  positionals: [1, 2],
  async run({ positionals: [target = '', below], settings, output, signal }) {
    await using open = await openTarget([target, below], settings, signal)
    const attributes = await during(below ?? titleOf(target), describeEntry(open.warren, open.path))
    if (output.json) {
      await output.value({ path: open.path, ...attributes })
      return EXIT.done
    }
    const { type, size, mode, modified, links, inode, target: to } = attributes
    await output.line(`path      ${open.path}`)
    await output.line(`type      ${type}${to === undefined ? '' : ` to ${to}`}`)
    await output.line(`size      ${size}${size < 1024 ? '' : ` (${formatBytes(size)})`}`)
    await output.line(`mode      ${mode}`)
    await output.line(`modified  ${modified}`)
    await output.line(`links     ${links}`)
    await output.line(`inode     ${inode}`)
    return EXIT.done
  }
})
