/** `warren run`: keeps the peer running, for those whose volumes it holds and for what it shares. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { serve } from '../serve.ts'

export const run: Command = defineCommand({
  name: 'run',
  summary: 'hold what was taken on for others, until it is interrupted',
  usage: '',
  details:
    "Offers what was shared before as 'warren share' does, and tells what happens to copies. While it " +
    "or 'warren share' runs, the commands that look after copies work in it; others find the directory " +
    'in use.',
  options: {},
  positionals: [0, 0],
  async run(invocation) {
    await serve({ hostPaths: [], idle: true }, invocation)
    return EXIT.done
  }
})
