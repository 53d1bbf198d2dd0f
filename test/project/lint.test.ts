/** The linter with our configuration: a rule that is misspelt or switched off lets everything by. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'
import { ROOT } from './sources.ts'

const test = suite('lint')

test('catches what it is there for', async () => {
  const layers = [
    ['src/peer/a.ts', '../blocks/index.ts'],
    ['src/blocks/a.ts', '../namespace/index.ts'],
    ['src/blocks/b.ts', '@libp2p/tcp'],
    ['src/namespace/tree/a.ts', '../../replication/index.ts'],
    ['src/replication/a.ts', '../cli/main.ts'],
    ['src/gateways/http/a.ts', '../../peer/index.ts'],
    ['src/warren.ts', 'libp2p']
  ].map(([path, target]) => [path!, `import * as x from '${target}'\nexport const y = x\n`])
  const found = await lint({
    ...Object.fromEntries(layers),
    'src/peer/floating.ts':
      'const later = async () => {}\nexport const now = () => {\n  later()\n}\n',
    'src/peer/one.ts': "import { two } from './two.ts'\nexport const one = () => two()\n",
    'src/peer/two.ts': "import { one } from './one.ts'\nexport const two = (): unknown => one()\n",
    'src/peer/long.ts': `export function long() {\n${'  Math.random()\n'.repeat(70)}}\n`,
    'src/peer/loud.ts': "console.log('hello')\n",
    'src/peer/CamelCase.ts': 'export const any: any = 1\n',
    'src/peer/short-name.ts': "export * from './loud'\n",
    'bench/peers/foreign.js': 'var late = 1\nexport { late }\n',
    'src/peer/good.ts': 'export const good = 1\n'
  })
  const expected = [
    ...layers.map(([path]) => `${path}: no-restricted-imports`),
    'src/peer/floating.ts: no-floating-promises',
    'src/peer/one.ts: no-cycle',
    'src/peer/two.ts: no-cycle',
    'src/peer/long.ts: max-lines-per-function',
    'src/peer/loud.ts: no-console',
    'src/peer/CamelCase.ts: filename-case',
    'src/peer/CamelCase.ts: no-explicit-any',
    'src/peer/short-name.ts: extensions',
    'bench/peers/foreign.js: no-var'
  ]
  assert.deepEqual(found.toSorted(), expected.toSorted())
})

/** Lints these files as if they were the project. Gives `path: rule` for everything found. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  await using directory = await createTemporaryDirectory('lint')
  for (const name of ['.oxlintrc.json', 'tsconfig.json']) {
    await copyFile(join(ROOT, name), directory.join(name))
  }
  await symlink(join(ROOT, 'node_modules'), directory.join('node_modules'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(directory.join(path)), { recursive: true })
    await writeFile(directory.join(path), text)
  }
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint')
  const args = [oxlint, '--type-aware', '--format=json']
  const { promise, resolve } = Promise.withResolvers<string>()
  const options = { cwd: directory.path, timeout: 30_000 }
  execFile(process.execPath, args, options, (_error, stdout) => resolve(stdout))
  const report = JSON.parse(await promise) as { diagnostics: { filename: string; code: string }[] }
  // A rule is called `eslint(no-console)`: the plugin that it comes from does not matter here.
  return report.diagnostics.map(
    ({ filename, code }) => `${filename}: ${/\((.+)\)/.exec(code)?.[1]}`
  )
}

test.run()
