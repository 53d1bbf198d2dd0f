/**
 * What sealing and compressing a block cost: processor time of this process for blocks of 128 KiB,
 * the median of rounds in which every step has its turn, so that other work on the machine is met
 * by all of them.
 *
 *     node --conditions=warren-source bench/sealing.ts
 */
import { readFileSync } from 'node:fs'
import { Sealing, createReadKey, sha256 } from '../src/blocks/index.ts'
import { createWebCipher } from '../src/blocks/encoding/web-cipher.ts'
import { createWebDeflate } from '../src/blocks/encoding/web-compression.ts'
import { isWorthCompressing } from '../src/blocks/encoding/worth-compressing.ts'

const BLOCK_BYTES = 128 * 1024
const ROUNDS = 15

interface Step {
  readonly name: string
  readonly times: number
  readonly work: () => unknown
}

/** Microseconds of processor time of one piece of work. */
async function measure({ times, work }: Step): Promise<number> {
  const before = process.cpuUsage()
  for (let time = 0; time < times; time++) await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

function randomBlock(): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  for (let at = 0; at < BLOCK_BYTES; at += 65_536) {
    crypto.getRandomValues(block.subarray(at, at + 65_536))
  }
  return block
}

/** Source code and prose of this repository, without repetition. */
function textBlock(): Uint8Array {
  const names = [
    '../src/namespace/fs/open-file.ts',
    '../src/namespace/volume/tree-transaction.ts',
    '../README.md',
    '../docs/protocol.md',
    '../docs/glossary.md',
    '../docs/architecture.md',
    '../package-lock.json'
  ]
  const text = names.map(name => readFileSync(new URL(name, import.meta.url), 'utf8')).join('')
  return new TextEncoder().encode(text).slice(0, BLOCK_BYTES)
}

const key = createReadKey()
const platforms = {
  'node:crypto, zstd': new Sealing(key),
  'Web Crypto, deflate': new Sealing(key, {
    cipher: createWebCipher(),
    compressions: [createWebDeflate()]
  })
}
const contents = { random: randomBlock(), text: textBlock() }

const steps: Step[] = [
  { name: 'sha256', times: 40, work: () => sha256(contents.random) },
  { name: 'guess', times: 400, work: () => isWorthCompressing(contents.random) }
]
const lines: string[] = []
for (const [platform, sealing] of Object.entries(platforms)) {
  for (const [kind, content] of Object.entries(contents)) {
    const sealed = await sealing.encode('raw', content)
    lines.push(
      `${platform}: ${kind} becomes ${((100 * sealed.length) / content.length).toFixed(1)} %`
    )
    const name = `${platform}: ${kind}`
    steps.push({ name: `${name}, seal`, times: 20, work: () => sealing.encode('raw', content) })
    steps.push({ name: `${name}, open`, times: 20, work: () => sealing.decode('raw', sealed) })
  }
}
const measured = new Map<string, number[]>(steps.map(({ name }) => [name, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (const step of steps) measured.get(step.name)!.push(await measure(step))
}
for (const [name, values] of measured) {
  const median = values.toSorted((a, b) => a - b)[ROUNDS >> 1]!
  const rate = BLOCK_BYTES / 2 ** 20 / (median / 1e6)
  lines.push(`${name.padEnd(36)} ${median.toFixed(0).padStart(6)} µs ${rate.toFixed(0)} MiB/s`)
}
console.log(lines.join('\n'))
