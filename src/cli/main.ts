#!/usr/bin/env node
/** The `warren` command. */
import { listenForInterruption } from './interruption.ts'
import { run } from './run.ts'

// Whoever reads our output may stop reading, as `head` does: nothing is left to do then.
process.stdout.on('error', () => process.exit())

// Warnings of Node are for programmers; of SQLite, for one, it warns on Node 22.
if (process.env.WARREN_DEBUG !== '1') process.removeAllListeners('warning')

const exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signal: listenForInterruption()
})
// Whatever a library may have left running does not matter any more.
process.exit(exitCode)
