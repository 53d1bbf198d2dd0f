/**
 * Lets a Node that has no `await using` yet run the sources: preloaded there, it compiles each
 * TypeScript file of ours for that Node on the way in. What users get is compiled by `tsc` anyway.
 */
import { transformSync } from 'esbuild'
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

registerHooks({
  load(url, context, nextLoad) {
    if (!/^file:.*\.ts$/.test(url)) return nextLoad(url, context)
    const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
      loader: 'ts',
      format: 'esm',
      target: `node${process.versions.node}`,
      sourcefile: url,
      sourcemap: 'inline'
    })
    return { format: 'module', source: code, shortCircuit: true }
  }
})
