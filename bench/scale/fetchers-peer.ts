/** Several warrens in one process, which fetch the same file of another peer's at the same time. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createWarren } from 'warren'
import type { Warren } from 'warren'
import { answerCalls } from '../../test/fixtures/answer-calls.ts'
import { createUsageMeter, timed } from '../side.ts'

const warrens: Warren[] = []

answerCalls({
  usage: createUsageMeter(),
  /** Starts them and connects them to whoever gave the link. */
  start: async (directory: string, count: number, link: string) => {
    for (let index = 0; index < count; index++) {
      const own = join(directory, String(index))
      mkdirSync(own, { recursive: true })
      const warren = await createWarren({ directory: own, listen: [], discovery: false })
      warrens.push(warren)
      await warren.mount('/remote', link)
    }
  },
  fetch: (path: string, directory: string) =>
    timed(() =>
      Promise.all(
        warrens.map((warren, index) => warren.export(path, join(directory, `fetched-${index}`)))
      )
    ),
  stop: async () => {
    for (const warren of warrens) await warren.stop()
  }
})
