/** Runs suites written for the globals of mocha, one level of `describe` deep, as suites of uvu. */
import { suite } from 'uvu'

type Work = () => unknown

export function runMochaSuites(name: string, define: () => void): void {
  let current = suite(name)
  const globals = {
    describe: (part: string, body: () => void) => {
      current = suite(`${name}: ${part}`)
      body()
      current.run()
    },
    it: (title: string, work: Work) => current(title, async () => void (await work())),
    beforeEach: (work: Work) => current.before.each(async () => void (await work())),
    afterEach: (work: Work) => current.after.each(async () => void (await work()))
  }
  Object.assign(globalThis, globals)
  try {
    define()
  } finally {
    for (const global of Object.keys(globals)) Reflect.deleteProperty(globalThis, global)
  }
}
