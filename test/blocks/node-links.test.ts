import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { isWarrenError } from '../../src/errors.ts'
import type { BlockId } from '../../src/blocks/block-id.ts'
import { readNodeLinks } from '../../src/blocks/node-links.ts'
import { encodeNode, makeBlocks, createRandom } from './exchange/exchange-fixtures.ts'

const test = suite<{ ids: BlockId[] }>('node links')
test.before(async context => {
  context.ids = (await makeBlocks(300, 8)).map(({ id }) => id)
})

const refused = (error: unknown): boolean => isWarrenError(error, 'EPROTO')

test('reads links in order, in lists of every length', ({ ids }) => {
  for (const count of [0, 1, 23, 24, 255, 256, 300]) {
    const links = ids.slice(0, count)
    assert.deepEqual(readNodeLinks(encodeNode(links, 7)), links)
  }
})

test('refuses a node cut off anywhere before its body', ({ ids }) => {
  const node = encodeNode(ids.slice(0, 2), 7)
  for (let length = 0; length < node.length - 5; length++) {
    assert.throws(() => readNodeLinks(node.subarray(0, length)), refused)
  }
})

test('refuses what only looks like a node', ({ ids }) => {
  const good = encodeNode(ids.slice(0, 2), 7)
  for (let at = 0; at < 8; at++) {
    const wrong = good.slice()
    wrong[at]! ^= 0x04
    assert.throws(() => readNodeLinks(wrong), refused, `byte ${at}`)
  }
})

test('refuses counts that lie or are not in their shortest form', () => {
  const heads = [
    [0x83, 1, 0x9a, 0xff, 0xff, 0xff, 0xff, 0],
    [0x83, 1, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0x83, 1, 0x9f, 0xff, 0],
    [0x83, 1, 0x98, 0, 0],
    [0x83, 1, 0x99, 0, 200, 0],
    [0x83, 1, 0x9a, 0, 0, 0, 1, 0],
    [0x83, 1, 0x40, 0]
  ]
  for (const head of heads) assert.throws(() => readNodeLinks(Uint8Array.from(head)), refused)
})

test('random bytes never do worse than being refused', () => {
  const random = createRandom(5)
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: random() * 200 }, () => random() * 256)
    bytes.set([0x83, 1].slice(0, bytes.length))
    try {
      readNodeLinks(bytes)
    } catch (error) {
      assert.ok(refused(error))
    }
  }
})

test.run()
