/** `warren share`: offers folders of the host to others, for as long as it runs. */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { TransferReport, Warren } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { describeFailure, during } from '../failure.ts'
import { followSource } from '../follow-source.ts'
import { isFileName } from '../file-name.ts'
import { openHostSources } from '../host-sources.ts'
import type { HostSources } from '../host-sources.ts'
import { untilInterrupted } from '../interruption.ts'
import { hasKey } from '../link.ts'
import { openHomeForOthers } from '../open-warren.ts'
import type { Output } from '../output.ts'
import { ProgressBar } from '../progress-bar.ts'
import type { Source } from '../state-file.ts'
import { formatAmount, formatBytes } from '../units.ts'
import { UsageError } from '../usage-error.ts'

/** How many files that could not be shared are named. */
const FAILED_NAMED_MAX = 5

/** Any number that no shell lets through. */
const FOLDERS_MAX = 10_000

interface Sharing {
  readonly warren: Warren
  readonly output: Output
  readonly signal: AbortSignal
  readonly sources: HostSources
  /** Whether links carry the key of a sealed volume. */
  readonly withKey: boolean
}

export const share: Command = defineCommand({
  name: 'share',
  summary: 'offer folders or files to others, until it is interrupted',
  usage: '[<folder-or-file> …] [--name <name>] [--copy] [--sealed] [--no-key]',
  details:
    'Prints a link for each: all that another peer needs. What changes in a folder later is offered ' +
    'as it changes. Files stay where they are; nothing is copied, unless --copy says so.\n' +
    'What is shared is remembered, with its link: without a folder everything is offered again that ' +
    'was shared before. To take something back: warren unshare.\n' +
    'With --sealed only who has a link can read anything. That is decided the first time something ' +
    'is put into a directory, and stays so. What is sealed is a copy, as with --copy. A link opens all ' +
    'that is shared from the directory.',
  options: {
    name: {
      type: 'string',
      argument: '<name>',
      help: 'what others see it as (default: its own name)'
    },
    copy: {
      type: 'boolean',
      help: 'keep a copy: others can still have what was shared after it changed or went here'
    },
    sealed: {
      type: 'boolean',
      help: 'seal everything: names and contents can only be read with the key in a link'
    },
    'no-key': {
      type: 'boolean',
      help: 'print links without the key: for peers that shall hold it and not read it'
    }
  },
  positionals: [0, FOLDERS_MAX],
  async run({ positionals, options, settings, output, signal }) {
    const { name, sealed } = options
    if (name !== undefined && positionals.length !== 1) {
      throw new UsageError('--name goes with one folder', 'share')
    }
    if (name !== undefined && !isFileName(name)) {
      throw new UsageError(`--name ${name}: not the name of a folder`, 'share')
    }
    const hostPaths = await Promise.all(positionals.map(path => during(path, realpath(path))))
    await using warren = await openHomeForOthers(settings, sealed === true ? { sealed } : {})
    const sources = await openHostSources(warren, settings.directory)
    // What stands on the host stands there unsealed: a sealed volume has a copy of its own.
    const isSealed = sealed === true || warren.shares().some(({ link }) => hasKey(link))
    const copy = isSealed || options.copy === true
    const wanted: Source[] = []
    for (const hostPath of hostPaths) {
      wanted.push(await sources.choose({ hostPath, name, copy }, wanted))
    }
    if (wanted.length + warren.shares().length === 0) {
      throw new UsageError('nothing is shared yet: name a folder', 'share')
    }
    const failing = new AbortController()
    const sharing = {
      warren,
      output,
      sources,
      withKey: options['no-key'] !== true,
      signal: AbortSignal.any([signal, failing.signal])
    }
    describePeer(sharing)
    const following = wanted.map(source => follow(sharing, source, { name }))
    following.push(...(await offerAgain(sharing, wanted)))
    try {
      await Promise.all([untilInterrupted(signal), ...following])
    } finally {
      failing.abort()
      await Promise.allSettled(following)
    }
    output.note('stopping')
    return EXIT.done
  }
})

function describePeer({ warren, output }: Sharing): void {
  output.note(`peer ${warren.id}`)
  for (const address of warren.addresses()) output.note(`  ${address}`)
}

/** What was shared by an earlier run goes on being shared: that is told, and kept up to date. */
async function offerAgain(sharing: Sharing, wanted: readonly Source[]): Promise<Promise<void>[]> {
  const { warren, output, sources } = sharing
  const following: Promise<void>[] = []
  for (const { path, name } of warren.shares()) {
    if (wanted.some(one => one.path === path)) continue
    const source = sources.list.find(one => one.path === path)
    if (wanted.length === 0) {
      await printLink(output, { path, link: await linkTo(sharing, { path, name }), name })
    } else output.note(`also sharing ${path} (warren unshare ${path} ends that)`)
    if (source !== undefined) following.push(followQuietly(sharing, source))
  }
  return following
}

/** Ends when the command does. */
async function follow(
  sharing: Sharing,
  source: Source,
  { name }: { readonly name: string | undefined }
): Promise<void> {
  const { warren, output, signal, sources } = sharing
  const bar = new ProgressBar(`reading ${source.hostPath}`, output)
  const settings = { inPlace: !source.copy, signal, onProgress: bar.show }
  let isFirst = true
  try {
    for await (const report of followSource(warren, source, settings)) {
      if (isFirst) {
        await sources.keep(source)
        const link = await linkTo(sharing, { path: source.path, name })
        output.note(`${source.hostPath}: ${describeWhole(report)}`)
        const shared = warren.shares().find(({ path }) => path === source.path)
        await printLink(output, { path: source.path, link, name: shared?.name ?? '' })
      } else await tellChange(sharing, source, report)
      tellFailures(output, source, report)
      isFirst = false
    }
  } catch (error) {
    if (!signal.aborted) await during(`sharing ${source.hostPath}`, Promise.reject(error))
  }
}

/** One that is gone must not keep the others from being shared. */
async function followQuietly(sharing: Sharing, source: Source): Promise<void> {
  const { warren, output, signal } = sharing
  try {
    const settings = { inPlace: !source.copy, signal }
    for await (const report of followSource(warren, source, settings)) {
      await tellChange(sharing, source, report)
      tellFailures(output, source, report)
    }
  } catch (error) {
    if (signal.aborted) return
    output.note(`${source.hostPath} is not kept up to date: ${describeFailure(error).message}`)
  }
}

/** Without the key it must be good for nothing but to hold: of a volume that is not sealed it is refused. */
async function linkTo(
  { warren, withKey }: Sharing,
  { path, name }: { readonly path: string; readonly name: string | undefined }
): Promise<string> {
  const isNew = !warren.shares().some(shared => shared.path === path)
  const link = await warren.share(path, name === undefined ? {} : { name })
  if (withKey) return link
  if (!hasKey(link)) {
    if (isNew) await warren.unshare(path)
    throw new UsageError('--no-key: nothing here is sealed, every link can be read', 'share')
  }
  return await warren.share(path, { key: false })
}

async function printLink(
  output: Output,
  share: { readonly path: string; readonly name: string; readonly link: string }
): Promise<void> {
  if (output.json) await output.value({ event: 'shared', ...share })
  else await output.line(share.link)
}

async function tellChange(sharing: Sharing, source: Source, report: TransferReport): Promise<void> {
  const { warren, output } = sharing
  const { files, directories, symlinks, removed, bytes, failed } = report
  if (files + directories + symlinks + removed === 0) return
  // Published when this is told, and not a moment later by itself.
  await warren.sync()
  if (output.json) {
    const counts = { files, directories, symlinks, removed, bytes, failed: failed.length }
    await output.value({ event: 'changed', path: source.path, ...counts })
    return
  }
  const parts = [
    files + symlinks > 0 ? `${formatAmount(files + symlinks, 'file')} changed` : '',
    removed > 0 ? `${removed} removed` : '',
    bytes > 0 ? formatBytes(bytes) : ''
  ].filter(part => part !== '')
  output.note(`${source.path}: ${parts.join(', ') || 'folders changed'}`)
}

function describeWhole({ files, bytes, skipped }: TransferReport): string {
  const known = skipped > 0 ? ` and ${formatAmount(skipped, 'file')} as before` : ''
  return `${formatAmount(files, 'file')}, ${formatBytes(bytes)}${known}`
}

function tellFailures(output: Output, source: Source, { failed }: TransferReport): void {
  for (const { path, error } of failed.slice(0, FAILED_NAMED_MAX)) {
    const name = join(source.hostPath, path)
    output.note(`not shared: ${name}: ${describeFailure(error).message}`)
  }
  if (failed.length > FAILED_NAMED_MAX) {
    output.note(`not shared: ${formatAmount(failed.length - FAILED_NAMED_MAX, 'more file')}`)
  }
}
