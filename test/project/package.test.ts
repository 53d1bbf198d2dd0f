/**
 * The package as its users get it: packed, installed into an empty project, imported, type-checked
 * and bundled for the browser.
 *
 * time limit: 300 s
 */
import type { Metafile } from 'esbuild'
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { testUnless } from '../fixtures/test-unless.ts'
import { ROOT } from './sources.ts'

/** How long one command may take, in milliseconds. Installing downloads about a hundred packages. */
const COMMAND_MS_MAX = 180_000

/** What a first program does: two peers, one file, no disk. In words that the oldest Node knows. */
const PROGRAM = `
import * as warren from 'warren'
if (!('createWarren' in warren)) {
  console.log(JSON.stringify({ names: Object.keys(warren) }))
  process.exit(0)
}
const settings = { listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false }
const alice = await warren.createWarren(settings)
const bob = await warren.createWarren(settings)
await alice.fs.mkdir('/letters')
await alice.fs.writeFile('/letters/hello.txt', 'dear bob')
await bob.mount('/alice', await alice.share('/'))
const read = await bob.fs.readFile('/alice/letters/hello.txt', 'utf8')
const failure = await bob.fs.readFile('/alice/nothing').catch(error => error)
const isOurs = failure instanceof warren.WarrenError
await Promise.all([alice.stop(), bob.stop()])
console.log(JSON.stringify({ names: Object.keys(warren), read, code: failure.code, isOurs }))
`

/** What the types of a first program must say; `unknown` in the place of a type would not do. */
const TYPED_PROGRAM = `
import { createWarren, WarrenError } from 'warren'
import type { Warren } from 'warren'
await using alice: Warren = await createWarren({ listen: [], discovery: false })
const link: string = await alice.share('/')
await alice.mount('/again', link)
const bytes: Uint8Array = await alice.fs.readFile('/letter')
const names: string[] = await alice.fs.readdir('/')
// @ts-expect-error -- there is no such option
await createWarren({ nonsense: true })
export const code: string = new WarrenError('ENOENT').code + bytes.length + names.length
`

const entry = existsSync(join(ROOT, 'src/index.ts')) ? undefined : 'src/index.ts is not there yet'

const test = suite('package')
const testFromEntry = testUnless(entry, test)

// Not in a hook: uvu swallows what a `before` throws.
const directory = await createTemporaryDirectory('package')
const project = directory.join('project')
const tarball = entry === undefined ? await installPackage() : ''
test.after(() => directory.remove())

testFromEntry('runs in a project of its own', async () => {
  await writeFile(join(project, 'program.js'), PROGRAM)
  const output = await run(process.execPath, ['program.js'])
  const { names, ...rest } = JSON.parse(output) as { names: string[] }
  assert.ok(names.includes('WarrenError'))
  if (names.includes('createWarren')) {
    assert.deepEqual(rest, { read: 'dear bob', code: 'ENOENT', isOurs: true })
  }
})

testFromEntry('has types that a strict project accepts', async () => {
  await writeFile(join(project, 'typed.ts'), TYPED_PROGRAM)
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2024',
    lib: ['ES2024', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    noEmit: true
  }
  const config = { compilerOptions, files: ['typed.ts'] }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config))
  await run(process.execPath, [tool('tsc'), '--project', project])
})

testFromEntry('satisfies publint and attw', async () => {
  await run(process.execPath, [tool('publint'), 'run', tarball, '--strict'])
  const options = ['--profile', 'esm-only', '--no-definitely-typed']
  await run(process.execPath, [tool('attw'), tarball, ...options])
})

testFromEntry('ships what it needs and nothing else', async () => {
  const files = (await run('tar', ['--list', '--file', tarball])).trim().split('\n')
  for (const file of ['LICENSE-MIT', 'LICENSE-APACHE', 'CHANGELOG.md', 'README.md']) {
    assert.ok(files.includes(`package/${file}`), `${file} is not in the package`)
  }
  const allowed =
    /^package\/(?:[A-Z][\w.-]+|package\.json|docs\/.+\.md|dist\/.+\.(?:js|d\.ts|html|css|svg))$/
  assert.deepEqual(
    files.filter(file => !allowed.test(file)),
    []
  )
})

testFromEntry('is bundled for the browser without a module of Node', async () => {
  const [outfile, report] = [join(project, 'bundle.mjs'), join(project, 'bundle.json')]
  await writeFile(join(project, 'page.js'), "export * from 'warren'\n")
  // The command and not the module, whose process ends only after this one.
  await run(tool('esbuild'), [
    'page.js',
    '--bundle',
    '--minify',
    '--format=esm',
    '--platform=browser',
    '--conditions=browser',
    '--external:node:*',
    '--log-level=warning',
    `--outfile=${outfile}`,
    `--metafile=${report}`
  ])
  const metafile = JSON.parse(await readFile(report, 'utf8')) as Metafile
  const wrong = Object.entries(metafile.inputs).flatMap(([path, { imports }]) =>
    imports.filter(target => target.external).map(target => `${path} imports ${target.path}`)
  )
  assert.deepEqual(wrong, [])
  const bundle = (await import(pathToFileURL(outfile).href)) as Record<string, unknown>
  assert.equal(typeof bundle.WarrenError, 'function')
})

/** Packs the package, installs it into the empty project, and gives the path of the tarball. */
async function installPackage(): Promise<string> {
  const packed = await run('npm', ['pack', '--json', `--pack-destination=${directory.path}`], ROOT)
  // The build that runs first prints its own lines before the JSON.
  const [report] = JSON.parse(packed.slice(packed.search(/^\[/m))) as [{ filename: string }]
  const packedFile = directory.join(report.filename)
  const manifest = { name: 'consumer', private: true, type: 'module' }
  await mkdir(project)
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', packedFile])
  return packedFile
}

/** A command of a devDependency, to be run by this Node, whatever the shell would find. */
function tool(name: string): string {
  return join(ROOT, 'node_modules/.bin', name)
}

/** In the consumer's project, unless it is said where. Gives stdout; rejects with all that was said. */
async function run(command: string, args: readonly string[], cwd = project): Promise<string> {
  try {
    const options = { cwd, timeout: COMMAND_MS_MAX, maxBuffer: 2 ** 26 }
    return (await promisify(execFile)(command, args, options)).stdout
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error) || !('stderr' in error)) throw error
    throw new Error(`${command} failed:\n${String(error.stdout)}${String(error.stderr)}`)
  }
}

test.run()
