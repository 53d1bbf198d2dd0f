import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { Output } from '../../src/cli/output.ts'
import { ProgressBar } from '../../src/cli/progress-bar.ts'

const MIB = 1024 * 1024

const test = suite('progress bar')

test('shows share, rate and time left, over what was there, where somebody watches', () => {
  const { output, written } = collect({ isTTY: true, columns: 120 })
  let now = 0
  const bar = new ProgressBar('photos', output, () => now)
  bar.show({ files: 0, bytes: 0, path: '' })
  now = 2_000
  bar.show({ files: 10, bytes: 20 * MIB, filesTotal: 40, bytesTotal: 80 * MIB, path: 'a' })
  assert.equal(
    written().split('\r\u001b[K').at(-1),
    'photos  [#####---------------]  25%  10/40 files  20.0 MiB of 80.0 MiB  10.0 MiB/s  0:06 left'
  )
  output.note('done')
  assert.ok(written().endsWith('\r\u001b[Kdone\n'))
})

test('fits on the terminal', () => {
  const { output, written } = collect({ isTTY: true, columns: 30 })
  const bar = new ProgressBar('photos'.repeat(10), output, () => 0)
  bar.show({ files: 0, bytes: 0, filesTotal: 1, bytesTotal: 1, path: '' })
  assert.equal(written().split('\u001b[K').at(-1)!.length, 29)
})

test('is a line now and then elsewhere, and nothing for programs', () => {
  for (const json of [false, true]) {
    const { output, written } = collect({ json })
    let now = 0
    const bar = new ProgressBar('photos', output, () => now)
    for (now = 0; now <= 25_000; now += 100) bar.show({ files: 1, bytes: now * 1000, path: '' })
    assert.equal(written().match(/\n/g)?.length ?? 0, json ? 0 : 2)
    assert.equal(written().includes('\r'), false)
  }
})

test('forgets what lies far back, and knows no time left without a rate', () => {
  const { output } = collect({})
  let now = 0
  const bar = new ProgressBar('x', output, () => now)
  const progress = (bytes: number): string => {
    const shown = { files: 1, bytes, filesTotal: 1, bytesTotal: 1000 * MIB, path: '' }
    bar.show(shown)
    return bar.text(shown)
  }
  assert.equal(progress(0).includes('left'), false)
  now = 1_000
  assert.match(progress(100 * MIB), /100\.0 MiB\/s/)
  for (now = 2_000; now < 20_000; now += 1_000) progress(100 * MIB)
  assert.equal(progress(100 * MIB).includes('left'), false)
})

function collect({ isTTY = false, columns = 80, json = false }): {
  output: Output
  written: () => string
} {
  let text = ''
  const sink = {
    isTTY,
    columns,
    write: (data: string | Uint8Array, done: () => void) => {
      text += String(data)
      done()
    }
  }
  return { output: new Output(sink, sink, { json }), written: () => text }
}

test.run()
