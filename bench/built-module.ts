/**
 * Modules of the benchmark as a user's would be: plain JavaScript, over the library as it is packed.
 * Run from its source a process takes 25 MiB more and starts half as fast again, because Node has to
 * strip the types first.
 */
import { buildSync } from 'esbuild'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'

/** Ignored by git, and inside the package, so that `warren` is found by its name. */
const OUT = join(import.meta.dirname, '.built')

/** As a test runs it: the source of everything. */
const isFromSource = process.execArgv.includes('--conditions=warren-source')

const built = new Map<string, URL>()

export function builtModule(source: URL): URL {
  if (isFromSource) return source
  let module = built.get(source.href)
  if (module === undefined) {
    const { outputs } = buildSync({
      entryPoints: [fileURLToPath(source)],
      outdir: OUT,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      absWorkingDir: join(OUT, '../..'),
      metafile: true
    }).metafile
    module = pathToFileURL(join(OUT, '../..', Object.keys(outputs)[0]!))
    built.set(source.href, module)
  }
  return module
}
