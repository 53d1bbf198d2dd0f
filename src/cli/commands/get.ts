/** `warren get`: fetches what a link names into a folder of the host. */
import { stat } from 'node:fs/promises'
import { join, posix, resolve } from 'node:path'
import type { Warren } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { describeFailure, during } from '../failure.ts'
import { fetchTree } from '../fetch-tree.ts'
import type { FetchReport } from '../fetch-tree.ts'
import { openGuest } from '../open-warren.ts'
import type { Output } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import { mountLink } from '../mount-link.ts'
import { isLink, nameOfLink } from '../link.ts'
import { formatAmount, formatBytes, formatDuration } from '../units.ts'
import { UsageError } from '../usage-error.ts'

export const get: Command = defineCommand({
  name: 'get',
  summary: 'fetch what a link names into a folder',
  usage: '<link> [<folder>]',
  details:
    'Writes into the folder, or into one that is called like the share. What is there already, with ' +
    'the same size and time, is skipped: when it was interrupted, the same command goes on. While ' +
    'the other side is away it waits and tries again, up to --timeout seconds without progress.\n' +
    'Ends with 1 when some files could not be had: they are listed, all others are there.',
  options: {
    progress: { type: 'boolean', help: 'with --json: print how far it has come, too' }
  },
  positionals: [1, 2],
  async run({ positionals, options, settings, output, signal }) {
    const [link = '', folder] = positionals
    if (!isLink(link)) throw new UsageError(`${link}: not a link (warren:…)`, 'get')
    await using warren = await openGuest(settings)
    const patienceMs = settings.timeoutMs
    const bar = new ProgressBar(nameOfLink(link), output)
    const onPause = (error: unknown, ms: number): void => {
      bar.restart()
      output.note(`${describeFailure(error).message}; again in ${formatDuration(ms)}`)
    }
    const path = await mountLink(warren, link, {
      timeoutMs: patienceMs,
      patienceMs,
      signal,
      onPause
    })
    const name = posix.basename(path)
    const from = { path, hostPath: await destination(warren, name, folder) }
    const startedMs = performance.now()
    const onProgress = (progress: Parameters<typeof bar.show>[0]): void => {
      bar.show(progress)
      if (output.json && options.progress === true)
        void output.value({ event: 'progress', ...progress })
    }
    const work = fetchTree(warren, from, { patienceMs, signal, onProgress, onPause })
    const fetched = await during(`fetching ${name}`, work)
    await tell(output, fetched, { bar, hostPath: from.hostPath, ms: performance.now() - startedMs })
    return fetched.report.failed.length > 0 ? EXIT.failed : EXIT.done
  }
})

/** A file goes into a folder that is there; a directory becomes the folder. */
async function destination(
  warren: Warren,
  name: string,
  folder: string | undefined
): Promise<string> {
  const wanted = resolve(folder ?? name)
  if (folder === undefined) return wanted
  const isFile = (await warren.fs.stat(`/${name}`)).isFile()
  const isFolder = await stat(wanted).then(
    stats => stats.isDirectory(),
    () => false
  )
  return isFile && isFolder ? join(wanted, name) : wanted
}

async function tell(
  output: Output,
  { report, passes }: FetchReport,
  {
    bar,
    hostPath,
    ms
  }: { readonly bar: ProgressBar; readonly hostPath: string; readonly ms: number }
): Promise<void> {
  const failed = report.failed.map(({ path, error }) => {
    const { code, message } = describeFailure(error)
    return { path, code, message }
  })
  if (output.json) {
    await output.value({
      event: 'done',
      folder: hostPath,
      ...report,
      failed,
      passes,
      ms: Math.round(ms)
    })
    return
  }
  for (const { path, message } of failed) output.note(`failed: ${path}: ${message}`)
  const files = formatAmount(report.files + report.skipped, 'file')
  const bytes = bar.last?.bytes ?? report.bytes
  const there = passes === 1 && report.skipped > 0 ? ` (${report.skipped} were there)` : ''
  const rate = report.bytes > 0 ? `, ${formatBytes((report.bytes / ms) * 1000)}/s` : ''
  const missing = failed.length > 0 ? `, ${formatAmount(failed.length, 'file')} failed` : ''
  output.note(
    `${hostPath}: ${files}, ${formatBytes(bytes)}${there} in ${(ms / 1000).toFixed(1)} s${rate}${missing}`
  )
}
