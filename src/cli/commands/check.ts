/** `warren check`: whether everything in the own volume is as it should be. */
import type { CheckProblem, CheckProgress, CheckReport } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { HEAR_MS, hearHolders } from '../hear-holders.ts'
import { joinHome } from '../join-home.ts'
import type { Output } from '../output.ts'
import { formatAmount, formatBytes } from '../units.ts'

export const check: Command = defineCommand({
  name: 'check',
  summary: 'find what is damaged or missing in what is here, and mend it',
  usage: '[--repair] [--quick]',
  details:
    'Reads everything in the own volume and compares it with its hashes, whether the tree of names is ' +
    'consistent, and how many copies there are. With --repair it gets what is damaged or missing from ' +
    'holders, corrects the tree, and moves what has no name to /lost+found; nothing is removed.\n' +
    'Ends with 1 when problems remain.',
  options: {
    repair: { type: 'boolean', help: 'mend what can be mended' },
    quick: { type: 'boolean', help: 'look whether blocks of files are here, without reading them' }
  },
  positionals: [0, 0],
  joins: true,
  async run({ options: { repair = false, quick = false }, settings, output, signal }) {
    // Others are asked for what is damaged here, and how many copies they have.
    await using home = await joinHome(settings)
    if (!home.runs) await hearHolders(home.warren.replication, HEAR_MS, signal)
    const onProgress = (progress: CheckProgress): void => showProgress(output, progress)
    const work = home.warren.check({ repair, blocks: !quick, signal, onProgress })
    const report = await during('checking', work)
    const remaining = report.found - report.repaired
    if (output.json) await output.value({ event: 'done', ...report, remaining })
    else await tell(output, report)
    return remaining > 0 ? EXIT.failed : EXIT.done
  }
})

function showProgress(output: Output, { nodes, blocks, bytes, found }: CheckProgress): void {
  if (!output.isWatched) return
  const read = `${formatAmount(nodes, 'node')}, ${formatAmount(blocks, 'block')}`
  output.bar(`checking  ${read}, ${formatBytes(bytes)}  ${formatAmount(found, 'problem')}`)
}

async function tell(output: Output, report: CheckReport): Promise<void> {
  for (const problem of report.problems) await output.line(describe(problem))
  const { found, repaired, counts, complete, problems } = report
  if (found > problems.length) {
    await output.line(`and ${formatAmount(found - problems.length, 'more problem')}`)
  }
  if (!complete) await output.line('nodes are missing: what is behind them could not be checked')
  const { files, directories, nodeBytes, blockBytes } = counts
  const checked = [
    formatAmount(files, 'file'),
    directories === 1 ? '1 directory' : `${directories.toLocaleString('en-US')} directories`,
    formatBytes(nodeBytes + blockBytes)
  ]
  const mended = repaired > 0 ? `, ${repaired === found ? 'all' : repaired} repaired` : ''
  const result = found === 0 ? 'no problems' : `${formatAmount(found, 'problem')}${mended}`
  await output.line(`${checked.join(', ')}: ${result}`)
}

function describe({ kind, path, inode, block, detail, repaired }: CheckProblem): string {
  const where = path ?? (inode === undefined ? block : `inode ${inode}`)
  const parts = [where, kind, detail].filter(part => part !== undefined)
  return `${parts.join(': ')}${repaired ? ' (repaired)' : ''}`
}
