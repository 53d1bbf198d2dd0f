/** `warren status`: how many copies of what there are right now. */
import { setTimeout as sleep } from 'node:timers/promises'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { describeHeld, describeStatus } from '../describe-status.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { HEAR_MS, hearHolders } from '../hear-holders.ts'
import { Interruption } from '../interruption.ts'
import { joinHome } from '../join-home.ts'
import { parseWait } from '../wait.ts'

/** Quick enough to watch copies being made, slow enough to read. */
const REFRESH_MS = 1_000

export const status: Command = defineCommand({
  name: 'status',
  summary: 'show how many copies of what there are',
  usage: '[<path>] [--watch] [--wait <seconds>]',
  details:
    'Of everything below the path (default: /), and of each directory in it. In [33333332221] each ' +
    'digit is a twentieth of the bytes, and says how many copies of it there are: at holders that ' +
    'are counted on and say that they have it. Beside it stand the bytes with no copy, one, two, …',
  options: {
    watch: { type: 'boolean', help: 'show it again every second, until it is interrupted' },
    wait: {
      type: 'string',
      argument: '<seconds>',
      help: 'how long to wait for holders that were not heard of yet (default: 5)'
    }
  },
  positionals: [0, 1],
  joins: true,
  async run({ positionals: [path = '/'], options, settings, output, signal }) {
    const waitMs = parseWait(options.wait, HEAR_MS)
    const { watch = false } = options
    await using home = await joinHome(settings)
    const { replication } = home.warren
    if (!home.runs && !watch) await hearHolders(replication, waitMs, signal)
    const { timeoutMs } = settings
    try {
      do {
        const found = await during(path, replication.status(path, { signal, timeoutMs }))
        if (output.json) await output.value(found)
        else await output.draw([...describeStatus(found), ...describeHeld(replication.held())])
        if (watch) await sleep(REFRESH_MS, undefined, { signal })
      } while (watch)
    } catch (error) {
      if (watch && signal.reason instanceof Interruption) return EXIT.done
      throw error
    }
    return EXIT.done
  }
})
