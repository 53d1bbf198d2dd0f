/** `warren replicate`: a copy at a holder of one's choice. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { parsePeer } from '../peer-argument.ts'
import { UsageError } from '../usage-error.ts'
import { COPYING_MS_MAX, parseWait } from '../wait.ts'

export const replicate: Command = defineCommand({
  name: 'replicate',
  summary: 'have a copy of a folder at one holder, beside all others',
  usage: '<path> --on <peer> [--wait <seconds>]',
  details:
    'Ends when the holder has all of it on disk. What comes into the folder later goes there too.',
  options: {
    on: { type: 'string', argument: '<peer>', help: 'the holder' },
    wait: { type: 'string', argument: '<seconds>', help: 'how long to wait (default: a day)' }
  },
  positionals: [1, 1],
  joins: true,
  async run({ positionals: [path = ''], options: { on, wait }, settings, output, signal }) {
    if (on === undefined) throw new UsageError('replicate needs --on <peer>', 'replicate')
    const peer = parsePeer(on, '--on')
    const timeoutMs = parseWait(wait, COPYING_MS_MAX)
    await using home = await joinHome(settings)
    const work = home.warren.replication.replicate(path, { on: peer, timeoutMs, signal })
    await during(`copying ${path} to ${peer}`, work, {
      ETIMEDOUT: 'a longer wait is --wait <seconds>'
    })
    if (output.json) await output.value({ path, on: peer })
    else output.note(`${path} is on disk at ${peer}`)
    return EXIT.done
  }
})
