import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { Output } from '../../src/cli/output.ts'

const test = suite('output')

test('draws over what was drawn before, as much as the terminal shows', async () => {
  const { output, written } = collect({ isTTY: true, columns: 10, rows: 4 })
  await output.draw(['one', 'two'])
  assert.equal(written(), 'one\ntwo\n')
  await output.draw(['a line that is too long', '2', '3', '4', '5'])
  assert.equal(written(), '\u001b[2A\r\u001b[Ja line th\n2\n3\n')
  await output.draw(['\u001b[2Jx'])
  assert.equal(written(), '\u001b[3A\r\u001b[J\\u{1b}[2J\n')
})

test('draws one below the other where nothing can be drawn over', async () => {
  const { output, written } = collect({ isTTY: false, columns: 10, rows: 2 })
  await output.draw(['a line that is too long', '2', '3'])
  await output.draw(['again'])
  assert.equal(written(), 'a line that is too long\n2\n3\n\nagain\n')
})

function collect(terminal: { isTTY: boolean; columns: number; rows: number }): {
  output: Output
  written: () => string
} {
  let text = ''
  const sink = {
    ...terminal,
    write: (data: string | Uint8Array, done: () => void) => {
      text += String(data)
      done()
    }
  }
  const written = (): string => {
    const last = text
    text = ''
    return last
  }
  return { output: new Output(sink, sink, { json: false }), written }
}

test.run()
