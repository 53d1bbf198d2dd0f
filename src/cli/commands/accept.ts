/** `warren accept`: becomes a holder of somebody's volume. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { asUsage } from '../link.ts'
import { parseSize } from '../size.ts'
import { formatBytes } from '../units.ts'

export const accept: Command = defineCommand({
  name: 'accept',
  summary: 'hold copies of the volume that an invitation is for',
  usage: '<invitation> [--bytes <size>] [--zone <zone>]',
  details:
    'Who has invited must be reachable. Without a pledge before, --bytes is what is pledged. The ' +
    "volume is held while 'warren run' or 'warren share' runs.",
  options: {
    bytes: {
      type: 'string',
      argument: '<size>',
      help: 'how much at most for this volume, as 50GB (default: what the pledge has left)'
    },
    zone: {
      type: 'string',
      argument: '<zone>',
      help: 'what fails together with this machine (default: what was pledged with)'
    }
  },
  positionals: [1, 1],
  joins: true,
  async run({ positionals: [invitation = ''], options, settings, output, signal }) {
    const { zone } = options
    const bytes = options.bytes === undefined ? undefined : parseSize(options.bytes, '--bytes')
    await using home = await joinHome(settings)
    const { replication } = home.warren
    if (bytes !== undefined && replication.pledged().bytes === 0) {
      await during('pledging', replication.pledge({ bytes }))
    }
    const work = replication.accept(invitation, {
      signal,
      timeoutMs: settings.timeoutMs,
      ...(bytes === undefined ? {} : { bytes }),
      ...(zone === undefined ? {} : { zone })
    })
    const volume = await during('accepting', asUsage(work))
    const held = replication.held().find(one => one.volume === volume)
    if (output.json) await output.value({ volume, ...held })
    else await output.line(`${volume}  ${held === undefined ? '' : formatBytes(held.pledgeBytes)}`)
    if (!home.runs) output.note("it is held while 'warren run' runs")
    return EXIT.done
  }
})
