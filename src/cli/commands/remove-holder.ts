/** `warren remove-holder`: has a holder give its copies away and go. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { parsePeer } from '../peer-argument.ts'
import { COPYING_MS_MAX, parseWait } from '../wait.ts'

export const removeHolder: Command = defineCommand({
  name: 'remove-holder',
  summary: 'have copies at a holder no longer',
  usage: '<peer> [--no-drain] [--wait <seconds>]',
  details:
    'It ends when what the holder has is elsewhere as often as it should be. For one that will not ' +
    'come back: --no-drain.',
  options: {
    'no-drain': { type: 'boolean', help: 'at once, even if that leaves too few copies' },
    wait: { type: 'string', argument: '<seconds>', help: 'how long to wait (default: a day)' }
  },
  positionals: [1, 1],
  joins: true,
  async run({ positionals: [text = ''], options, settings, output, signal }) {
    const peer = parsePeer(text, 'remove-holder')
    const timeoutMs = parseWait(options.wait, COPYING_MS_MAX)
    await using home = await joinHome(settings)
    const drain = options['no-drain'] !== true
    const work = home.warren.replication.remove(peer, { drain, timeoutMs, signal })
    await during(`removing ${peer}`, work, { ETIMEDOUT: LATER })
    if (output.json) await output.value({ peer })
    else output.note(`${peer} is no holder any more`)
    return EXIT.done
  }
})

const LATER = "it is not over yet: 'warren holders' shows how far it has come"
