/** `warren leave`: ends holding volumes of others. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { parseVolume } from '../peer-argument.ts'
import { COPYING_MS_MAX, parseWait } from '../wait.ts'

export const leave: Command = defineCommand({
  name: 'leave',
  summary: 'hold copies for others no longer',
  usage: '[<volume>] [--no-drain] [--wait <seconds>]',
  details:
    'Of one volume, or of all. It ends when what is here is elsewhere as often as it should be; ' +
    "interrupted before, it goes on whenever 'warren run' runs.",
  options: {
    'no-drain': { type: 'boolean', help: 'at once, even if that leaves too few copies' },
    wait: { type: 'string', argument: '<seconds>', help: 'how long to wait (default: a day)' }
  },
  positionals: [0, 1],
  joins: true,
  async run({ positionals: [text], options, settings, output, signal }) {
    const volume = text === undefined ? undefined : parseVolume(text)
    const timeoutMs = parseWait(options.wait, COPYING_MS_MAX)
    await using home = await joinHome(settings)
    const work = home.warren.replication.leave({
      drain: options['no-drain'] !== true,
      timeoutMs,
      signal,
      ...(volume === undefined ? {} : { volume })
    })
    await during('leaving', work, { ETIMEDOUT: LATER })
    if (output.json) await output.value({ left: volume ?? 'all' })
    else output.note('left')
    return EXIT.done
  }
})

const LATER = "it is not over yet: 'warren pledge' shows how far it has come"
