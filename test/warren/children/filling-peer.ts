/** A warren that fills its disk and says how far it came. Arguments: the options as JSON. */
import { createWarren } from '../../../src/index.ts'
import type { Warren, WarrenOptions } from '../../../src/index.ts'
import { answerCalls } from '../../fixtures/answer-calls.ts'
import { LOOPBACK } from '../fixtures.ts'
import { createRandom } from '../tree-model.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as WarrenOptions
const warren: Warren = await createWarren({ ...LOOPBACK, ...options })

/** Always the same bytes for a name, others for every other. */
function contentOf(name: string, bytes: number): Uint8Array {
  let seed = 7
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) | 0
  const random = createRandom(seed)
  const content = new Uint32Array(Math.ceil(bytes / 4))
  for (let index = 0; index < content.length; index++) content[index] = random() * 2 ** 32
  return new Uint8Array(content.buffer, 0, bytes)
}

async function failureOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

answerCalls({
  /** Writes files until one fails, and syncs after each if told so. */
  fill: async (directory: string, bytes: number, { sync }: { readonly sync: boolean }) => {
    await warren.fs.mkdir(directory, { recursive: true })
    for (let number = 0; ; number++) {
      const path = `${directory}/${number}`
      const code = await failureOf(warren.fs.writeFile(path, contentOf(path, bytes)))
      if (code !== undefined) return { files: number, code, at: 'write' }
      const failed = sync ? await failureOf(warren.sync()) : undefined
      if (failed !== undefined) return { files: number + 1, code: failed, at: 'sync' }
    }
  },
  /** Numbers of the files that are there and wrong; and how many are there. */
  check: async (directory: string, bytes: number) => {
    const names = await warren.fs.readdir(directory)
    const wrong: string[] = []
    for (const name of names) {
      const path = `${directory}/${name}`
      const found = await warren.fs.readFile(path)
      if (Buffer.compare(found, contentOf(path, bytes)) !== 0) wrong.push(name)
    }
    return { files: names.length, wrong }
  },
  removeEveryOther: async (directory: string) => {
    const names = await warren.fs.readdir(directory)
    const going = names.filter(name => Number(name) % 2 === 0)
    for (const name of going) await warren.fs.rm(`${directory}/${name}`)
    return going.length
  },
  remove: (path: string) => warren.fs.rm(path),
  write: (path: string, bytes: number) => warren.fs.writeFile(path, contentOf(path, bytes)),
  attempt: (verb: 'sync' | 'collect' | 'share', ...args: never[]) =>
    failureOf((warren[verb] as (...args: never[]) => Promise<unknown>)(...args)),
  shares: () => warren.shares().map(({ path }) => path),
  stop: () => warren.stop()
})
