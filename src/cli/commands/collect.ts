/** `warren collect`: gives back the space of what was deleted. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { openHomeOffline } from '../open-warren.ts'
import { formatAmount, formatBytes } from '../units.ts'

export const collect: Command = defineCommand({
  name: 'collect',
  summary: 'give back the space of what was deleted',
  usage: '',
  options: {},
  positionals: [0, 0],
  async run({ settings, output, signal }) {
    await using warren = await openHomeOffline(settings)
    const freed = await during('collecting', warren.collect({ signal }))
    const kept = warren.usage()
    if (output.json) await output.value({ freed, kept })
    else {
      await output.line(
        `freed  ${formatAmount(freed.blocks, 'block')}, ${formatBytes(freed.bytes)}`
      )
      await output.line(`kept   ${formatAmount(kept.blocks, 'block')}, ${formatBytes(kept.bytes)}`)
    }
    return EXIT.done
  }
})
