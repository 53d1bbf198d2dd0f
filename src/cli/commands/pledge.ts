/** `warren pledge`: how much this peer stores for others. */
import type { HeldStatus, PledgeReport } from '../../index.ts'
import { alignColumns } from '../columns.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import type { Output } from '../output.ts'
import { parsePeer } from '../peer-argument.ts'
import { parseSize } from '../size.ts'
import { formatBytes } from '../units.ts'
import { UsageError } from '../usage-error.ts'

export const pledge: Command = defineCommand({
  name: 'pledge',
  summary: 'show or set how much this peer stores for others',
  usage: '[<size>] [--zone <zone>] [--to <peer> …]',
  details:
    'The size is of all volumes of others together: 50GB, 1.5TiB. A smaller one drops nothing that ' +
    'is here already. Without a size it shows the pledge and the volumes that are held.\n' +
    "Volumes of the peers named by --to are taken on when they invite this peer; others' by warren accept.",
  options: {
    zone: {
      type: 'string',
      argument: '<zone>',
      help: 'what fails together with this machine, as a house: copies are spread over zones'
    },
    to: {
      type: 'string',
      multiple: true,
      argument: '<peer>',
      help: 'take on what this peer invites to, may be repeated; replaces those named before'
    }
  },
  positionals: [0, 1],
  joins: true,
  async run({ positionals: [size], options: { zone, to }, settings, output }) {
    const bytes = size === undefined ? undefined : parseSize(size, 'pledge')
    const peers = to?.map(peer => parsePeer(peer, '--to'))
    if (bytes === undefined && (zone !== undefined || peers !== undefined)) {
      throw new UsageError('--zone and --to go with a size', 'pledge')
    }
    await using home = await joinHome(settings, { offline: true })
    const { replication } = home.warren
    if (bytes !== undefined) {
      const options = {
        bytes,
        ...(zone === undefined ? {} : { zone }),
        ...(peers === undefined ? {} : { to: peers })
      }
      await during('pledging', replication.pledge(options))
      if (!home.runs) output.note("volumes are held while 'warren run' or 'warren share' runs")
    }
    await show(output, replication.pledged(), replication.held())
    return EXIT.done
  }
})

async function show(
  output: Output,
  { bytes, usedBytes, zone, to }: PledgeReport,
  held: readonly HeldStatus[]
): Promise<void> {
  if (output.json) {
    await output.value({ bytes, usedBytes, zone, to, held })
    return
  }
  await output.line(`pledged  ${formatBytes(bytes)}, ${formatBytes(usedBytes)} used`)
  if (zone !== '') await output.line(`zone     ${zone}`)
  for (const peer of to) await output.line(`to       ${peer}`)
  if (held.length === 0) return
  const rows = held.map(volume => [
    volume.volume,
    volume.owner,
    volume.leaving ? `${volume.progress}, leaving` : volume.progress,
    formatBytes(volume.usedBytes),
    formatBytes(volume.pledgeBytes),
    volume.missingBlocks === 0 ? '-' : String(volume.missingBlocks)
  ])
  const head = ['volume', 'owner', 'is', 'used', 'at most', 'blocks missing']
  const table = alignColumns([head, ...rows], ['left', 'left', 'left', 'right', 'right', 'right'])
  for (const line of ['', ...table]) await output.line(line)
}
