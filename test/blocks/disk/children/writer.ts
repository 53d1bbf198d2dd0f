/**
 * A process that puts, removes and syncs without end, to be killed at any moment. It says on stdout
 * what it was promised: `put <first> <end>` once those numbers are synced, `removing <number>`
 * before it removes one, `removed <number>` after.
 */
import { writeSync } from 'node:fs'
import { openDiskBlockStore } from '../../../../src/blocks/disk/index.ts'
import { numberedBlock } from '../numbered-blocks.ts'

const [directory = '', start = '0'] = process.argv.slice(2)
const say = (line: string): void => void writeSync(1, `${line}\n`)

const store = await openDiskBlockStore(directory, { segmentBytesMax: 300_000 })
say('open')
for (let next = Number(start); ;) {
  const first = next
  const puts: Promise<void>[] = []
  for (let call = 0; call < 1 + Math.random() * 4; call++) {
    const end = next + 1 + Math.floor(Math.random() * 12)
    const blocks = []
    while (next < end) blocks.push(await numberedBlock(next++))
    puts.push(store.putMany(blocks))
  }
  await Promise.all(puts)
  await store.sync()
  say(`put ${first} ${next}`)
  const gone = Math.floor(Math.random() * next)
  const numbers = Array.from({ length: 20 }, (_, index) => gone + index)
  for (const number of numbers) say(`removing ${number}`)
  const ids = await Promise.all(numbers.map(async number => (await numberedBlock(number)).id))
  await store.deleteMany(ids)
  for (const number of numbers) if (number < next) say(`removed ${number}`)
}
