// time limit: 300 s
/** The benchmark runs, so that it does not rot; what it measures on a busy machine says nothing. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Comparison } from '../../bench/comparisons.ts'
import { timesAsGood } from '../../bench/figures.ts'
import type { Figure } from '../../bench/figures.ts'
import { slopeOf } from '../../bench/scale/curve.ts'
import type { Curve, Point } from '../../bench/scale/curve.ts'
import { createTemporaryDirectory } from '../fixtures/temporary-directory.ts'

const test = suite('benchmark')
const run = promisify(execFile)
const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))

async function bench(...options: string[]): Promise<{ readonly stdout: string }> {
  return run(process.execPath, [...process.execArgv, main, ...options], { timeout: 280_000 })
}

test('every workload and every floor has figures', async () => {
  const directory = await createTemporaryDirectory('bench')
  try {
    const json = directory.join('figures.json')
    const { stdout } = await bench('--tiny', '--runs', '1', '--json', json)
    const report = JSON.parse(await readFile(json, 'utf8')) as {
      readonly figures: readonly Pick<Figure, 'group' | 'figure' | 'values' | 'usage'>[]
      readonly comparisons: readonly Comparison[]
    }
    for (const title of ['Floors', 'W1', 'W2', 'W3', 'W4', 'W5', 'W6']) {
      assert.ok(stdout.includes(`| ${title}`), `${title} has a table`)
      const group = title.toLowerCase()
      assert.ok(
        report.figures.some(figure => figure.group.toLowerCase() === group),
        title
      )
    }
    for (const { figure, values, usage } of report.figures) {
      assert.ok(values.length > 0 && values.every(value => value > 0), figure)
      assert.ok(
        usage.every(({ a, b }) => a.peakRssMiB > 0 && b.peakRssMiB > 0),
        figure
      )
    }
    for (const figure of ['bulk', 'one at a time, p50', '16 at once', 'first byte']) {
      const floors = report.comparisons.filter(comparison => comparison.figure === figure)
      assert.ok(floors.length >= 2 && floors.every(({ times }) => times > 0), figure)
    }
  } finally {
    await directory.remove()
  }
})

test('the curves of the scale have points', async () => {
  const directory = await createTemporaryDirectory('bench')
  try {
    const json = directory.join('curves.json')
    await bench('--tiny', '--scale', '--json', json)
    const { curves } = JSON.parse(await readFile(json, 'utf8')) as {
      readonly curves: readonly Curve[]
    }
    assert.ok(curves.length > 0)
    for (const { name, points } of curves) {
      assert.ok(points.length > 0 && points.every(({ cost }) => cost > 0), name)
    }
  } finally {
    await directory.remove()
  }
})

test('a cost that is flat, and one that grows with the count, are told apart', () => {
  const points = (costOf: (count: number) => number): Point[] =>
    [10, 100, 1_000].map(count => ({ count, cost: costOf(count) }))
  assert.ok(Math.abs(slopeOf(points(() => 5))) < 1e-9)
  assert.ok(Math.abs(slopeOf(points(count => 3 * count)) - 1) < 1e-9)
  const oneMissing = [...points(count => count), { count: 10_000, cost: NaN }]
  assert.ok(Math.abs(slopeOf(oneMissing) - 1) < 1e-9)
})

test('a time that is half and a rate that is double are both twice as good', () => {
  const figure = (unit: Figure['unit'], ...values: number[]): Figure => {
    return { group: 'W1', figure: 'bulk', system: 'warren', unit, values, usage: [] }
  }
  assert.equal(timesAsGood(figure('ms', 5), figure('ms', 10)), 2)
  assert.equal(timesAsGood(figure('MiB/s', 10), figure('MiB/s', NaN, 5)), 2)
})

test('a workload that does not exist is refused', async () => {
  await assert.rejects(bench('--only', 'W9'), { code: 2 })
})

test.run()
