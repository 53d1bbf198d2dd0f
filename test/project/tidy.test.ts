/** The rules of the house that no compiler and no linter checks. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { findWrongImports } from './layers.ts'
import { listFiles, parseSource, readSources, ROOT } from './sources.ts'
import { testUnless } from '../fixtures/test-unless.ts'

const LINES_MAX = 500

const paths = await listFiles()
const sources = await readSources(
  paths.filter(path => /^(src|test|examples|bench)\/.*\.ts$/.test(path))
)
const core = sources.filter(({ path }) => path.startsWith('src/'))
const documents = paths.filter(path => path.endsWith('.md'))

const entry = paths.includes('src/index.ts') ? undefined : 'src/index.ts is not there yet'

const test = suite('tidy')
const testFromEntry = testUnless(entry, test)

test('imports follow the arrows, through the doors', () => {
  assertNone(core.flatMap(findWrongImports))
})

test('would see an import that does not', () => {
  const wrong = (path: string, specifier: string): number =>
    findWrongImports(parseSource(path, `import {\n  a,\n  b\n} from '${specifier}'\n`)).length
  assert.equal(wrong('src/peer/a.ts', '../blocks/index.ts'), 1)
  assert.equal(wrong('src/blocks/disk/a.ts', '../../namespace/index.ts'), 1)
  assert.equal(wrong('src/namespace/volume/a.ts', '../../blocks/block.ts'), 1)
  assert.equal(wrong('src/namespace/a.ts', '../index.ts'), 1)
  assert.equal(wrong('src/replication/a.ts', 'libp2p'), 1)
  assert.equal(wrong('src/blocks/a.ts', 'node:fs'), 1)
  assert.equal(wrong('src/gateways/http/a.ts', '../../peer/index.ts'), 1)
  assert.equal(wrong('src/gateways/http/a.ts', '../../index.ts'), 0)
  assert.equal(wrong('src/cli/a.ts', '../warren.ts'), 1)
  assert.equal(wrong('src/errors.ts', './peer/index.ts'), 1)
  assert.equal(wrong('src/helpers/a.ts', '../errors.ts'), 1)
  assert.equal(wrong('src/namespace/volume/a.ts', '../../blocks/index.ts'), 0)
  assert.equal(wrong('src/namespace/volume/a.ts', '../heads/head.ts'), 0)
  assert.equal(wrong('src/namespace/disk/a.ts', '../../blocks/disk/index.ts'), 0)
  assert.equal(wrong('src/peer/a.ts', '../errors.ts'), 0)
  assert.equal(wrong('src/peer/a.ts', '@libp2p/tcp'), 0)
  assert.equal(wrong('src/blocks/disk/a.ts', 'node:fs'), 0)
  assert.equal(wrong('src/warren.ts', './namespace/index.ts'), 0)
})

testFromEntry('the core reaches no node module when it is bundled for the browser', () => {
  const reached = reach(['src/index.ts', 'src/defaults/browser.ts'])
  const platform = core.filter(({ path }) => reached.has(path))
  const wrong = platform.filter(({ packages }) => packages.some(name => name.startsWith('node:')))
  assertNone(wrong.map(({ path }) => path))
})

test('doors only re-export', () => {
  const doors = core.filter(({ path }) => posix.basename(path) === 'index.ts')
  const wrong = doors.filter(({ text }) => {
    const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '')
    return code.replaceAll(/^export\s[\w\s*{},$]+\sfrom\s+'[^']+'$/gm, '').trim() !== ''
  })
  assertNone(wrong.map(({ path }) => path))
})

testFromEntry('no file of the library is unused', async () => {
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8')
  const entries = [...manifest.matchAll(/"\.\/(src\/[^"]+\.ts)"/g)].map(match => match[1]!)
  const command = /"\.\/dist\/(cli\/[^"]+)\.js"/.exec(manifest)?.[1]
  // Copies are being built from the bottom: nothing above the layer uses it yet.
  const replication = ['src/replication/index.ts', 'src/replication/disk/index.ts']
  const used = reach([...entries, `src/${command}.ts`, ...replication])
  const unused = core.filter(({ path }) => !used.has(path))
  assertNone(unused.map(({ path }) => path))
})

test('every import of a file leads to a file', () => {
  const known = new Set(paths)
  for (const { path, files } of sources) {
    for (const file of files)
      assert.ok(known.has(file), `${path} names ${file}, which is not there`)
  }
})

test('every suite is run, and no test shuts out the others', () => {
  for (const { path, text } of sources.filter(source => source.path.endsWith('.test.ts'))) {
    const suites = text.match(/\bsuite(?:<[^>]+>)?\(/g)?.length ?? 0
    const runs = text.match(/\.run\(\)/g)?.length ?? 0
    const contracts = text.match(/^\s*test[A-Z]\w*\(/gm)?.length ?? 0
    assert.ok(suites + contracts > 0, `${path} holds no suite`)
    assert.ok(runs >= suites, `${path} has ${suites} suites and runs ${runs}`)
    assert.ok(!/^\s*\w+\.only\(/m.test(text), `${path} runs one test only`)
  }
})

test('nothing unfinished, untyped or chatty is left in the library', () => {
  const marks = /\b(?:FIXME|TODO|XXX)\b|\bas any\b|@ts-(?:ignore|nocheck|expect-error)/
  const chatter = /\bconsole\.\w+\(/
  const isWrong = (path: string, line: string): boolean =>
    marks.test(line) || (chatter.test(line) && !path.startsWith('src/cli/'))
  const wrong = core.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      return isWrong(path, line) ? [`${path}:${index + 1}: ${line.trim()}`] : []
    })
  )
  assertNone(wrong)
})

test('files are short, and their names kebab-case', () => {
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - 1
    assert.ok(lines <= LINES_MAX, `${path} has ${lines} lines, more than ${LINES_MAX}`)
    const name = /^(?:[a-z0-9]+-)*[a-z0-9]+(?:\.test)?\.ts$/
    assert.match(posix.basename(path), name, `${path} is not kebab-case`)
  }
})

test('files of the library open with why they exist', () => {
  const silent = core.filter(
    ({ path, text }) => !/^(?:#!.*\n)?\/[/*]/.test(text) && posix.basename(path) !== 'index.ts'
  )
  assertNone(silent.map(({ path }) => path))
})

test('decisions have a number each', () => {
  const decisions = documents.filter(path => path.startsWith('docs/decisions/'))
  const numbers = decisions.map(path => {
    assert.match(posix.basename(path), /^\d{3}-[a-z0-9]+(?:-[a-z0-9]+)*\.md$/)
    return posix.basename(path).slice(0, 3)
  })
  assert.deepEqual(numbers, [...new Set(numbers)])
})

test('links between documents lead somewhere', async () => {
  for (const path of documents) {
    const text = await readFile(join(ROOT, path), 'utf8')
    for (const [, target] of text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      const file = join(ROOT, posix.dirname(path), target!)
      assert.ok(existsSync(file), `${path} links to ${target}, which is not there`)
    }
  }
})

/** Every file of the library that the given ones import, at any distance, and themselves. */
function reach(entries: readonly string[]): Set<string> {
  const byPath = new Map(core.map(source => [source.path, source]))
  const reached = new Set<string>()
  const waiting = [...entries]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    waiting.push(...(byPath.get(path)?.files ?? []))
  }
  return reached
}

/** Says all that is wrong at once, one to a line. */
function assertNone(wrong: readonly string[]): void {
  assert.equal(wrong.length, 0, `\n${wrong.join('\n')}`)
}

test.run()
