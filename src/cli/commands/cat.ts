/** `warren cat`: prints a file. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { titleOf } from '../link.ts'
import { openTarget } from '../target.ts'
import { UsageError } from '../usage-error.ts'

export const cat: Command = defineCommand({
  name: 'cat',
  summary: 'print a file',
  usage: '<link> [<path>] | <path>',
  details: 'Bytes are printed as they arrive and as they are, so --json is refused.',
  options: {},
  positionals: [1, 2],
  async run({ positionals: [target = '', below], settings, output, signal }) {
    if (output.json) throw new UsageError('--json: the bytes of a file are no JSON', 'cat')
    await using open = await openTarget([target, below], settings, signal)
    const stream = open.warren.fs.createReadStream(open.path, { signal })
    const task = below ?? titleOf(target)
    await during(
      `printing ${task}`,
      (async () => {
        for await (const bytes of stream) await output.bytes(bytes)
      })()
    )
    return EXIT.done
  }
})
