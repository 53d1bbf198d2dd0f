#!/usr/bin/env node
/** The `warren` command. */
import { listenForInterruption } from './interruption.ts'
import { run } from './run.ts'

// Whoever reads our output may stop reading, as `head` does: nothing is left to do then.
process.stdout.on('error', () => process.exit())

const exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signal: listenForInterruption()
})
// Whatever a library may have left running does not matter any more.
process.exit(exitCode)
