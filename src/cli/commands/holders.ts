/** `warren holders`: who holds the own volume. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describeHolders } from '../describe-status.ts'
import { EXIT } from '../exit-codes.ts'
import { HEAR_MS, hearHolders } from '../hear-holders.ts'
import { joinHome } from '../join-home.ts'
import { parseWait } from '../wait.ts'

export const holders: Command = defineCommand({
  name: 'holders',
  summary: 'list who holds copies of what is here',
  usage: '[--wait <seconds>]',
  details: "To get one: warren invite. What of it has how many copies: 'warren status'.",
  options: {
    wait: { type: 'string', argument: '<seconds>', help: 'how long to wait for them (default: 5)' }
  },
  positionals: [0, 0],
  joins: true,
  async run({ options: { wait }, settings, output, signal }) {
    const waitMs = parseWait(wait, HEAR_MS)
    await using home = await joinHome(settings)
    const { replication } = home.warren
    if (!home.runs) await hearHolders(replication, waitMs, signal)
    const found = replication.holders()
    if (output.json) for (const holder of found) await output.value(holder)
    else for (const line of describeHolders(found)) await output.line(line)
    return EXIT.done
  }
})
