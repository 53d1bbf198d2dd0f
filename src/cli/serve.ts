/** Offers folders of the host for as long as the command runs, and keeps what was taken on for others. */
import { join } from 'node:path'
import type { TransferReport, Warren } from '../index.ts'
import type { Invocation } from './command.ts'
import { describeFailure, during } from './failure.ts'
import { followSource } from './follow-source.ts'
import { openHostSources } from './host-sources.ts'
import type { HostSources } from './host-sources.ts'
import { untilInterrupted } from './interruption.ts'
import { hasKey } from './link.ts'
import { openHomeForOthers } from './open-warren.ts'
import type { Output } from './output.ts'
import { ProgressBar } from './progress-bar.ts'
import { serveControl } from './serve-control.ts'
import type { Source } from './state-file.ts'
import { tellReplication } from './tell-replication.ts'
import { formatAmount, formatBytes } from './units.ts'
import { UsageError } from './usage-error.ts'

/** How many files that could not be shared are named. */
const FAILED_NAMED_MAX = 5

export interface Serving {
  /** Absolute, without symlinks. What was shared before is shared again beside them. */
  readonly hostPaths: readonly string[]
  readonly name?: string | undefined
  readonly copy?: boolean | undefined
  readonly sealed?: boolean | undefined
  /** Whether links carry the key of a sealed volume. Default true. */
  readonly withKey?: boolean | undefined
  /** Whether to run with nothing to share, too. */
  readonly idle: boolean
}

interface Sharing {
  readonly warren: Warren
  readonly output: Output
  readonly signal: AbortSignal
  readonly sources: HostSources
  readonly withKey: boolean
}

/** Resolves when the command was interrupted. */
export async function serve(
  { hostPaths, name, copy = false, sealed = false, withKey = true, idle }: Serving,
  {
    settings,
    output,
    signal,
    runLine
  }: Pick<Invocation, 'settings' | 'output' | 'signal' | 'runLine'>
): Promise<void> {
  await using warren = await openHomeForOthers(settings, sealed ? { sealed } : {})
  const sources = await openHostSources(warren, settings.directory)
  // What stands on the host stands there unsealed: a sealed volume has a copy of its own.
  const isSealed = sealed || warren.shares().some(({ link }) => hasKey(link))
  const wanted: Source[] = []
  for (const hostPath of hostPaths) {
    wanted.push(await sources.choose({ hostPath, name, copy: isSealed || copy }, wanted))
  }
  if (!idle && wanted.length + warren.shares().length === 0) {
    throw new UsageError('nothing is shared yet: name a folder', 'share')
  }
  const failing = new AbortController()
  const until = AbortSignal.any([signal, failing.signal])
  const sharing = { warren, output, sources, withKey, signal: until }
  await using _ = await serveControl(settings.directory, runLine(warren))
  describePeer(sharing)
  tellReplication(warren, output, until)
  const following = wanted.map(source => follow(sharing, source, { name }))
  following.push(...(await offerAgain(sharing, wanted)))
  try {
    await Promise.all([untilInterrupted(signal), ...following])
  } finally {
    failing.abort()
    await Promise.allSettled(following)
  }
  output.note('stopping')
}

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
