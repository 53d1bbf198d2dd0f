/** `warren share`: offers folders of the host to others, for as long as it runs. */
import { realpath } from 'node:fs/promises'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { isFileName } from '../file-name.ts'
import { serve } from '../serve.ts'
import { UsageError } from '../usage-error.ts'

/** Any number that no shell lets through. */
const FOLDERS_MAX = 10_000

export const share: Command = defineCommand({
  name: 'share',
  summary: 'offer folders or files to others, until it is interrupted',
  usage: '[<folder-or-file> …] [--name <name>] [--copy] [--sealed] [--no-key]',
  details:
    'Prints a link for each: all that another peer needs. What changes in a folder later is offered ' +
    'as it changes. Files stay where they are; nothing is copied, unless --copy says so.\n' +
    'What is shared is remembered, with its link: without a folder everything is offered again that ' +
    'was shared before. To take something back: warren unshare.\n' +
    'With --sealed only who has a link can read anything. That is decided the first time something ' +
    'is put into a directory, and stays so. What is sealed is a copy, as with --copy. A link opens all ' +
    'that is shared from the directory.',
  options: {
    name: {
      type: 'string',
      argument: '<name>',
      help: 'what others see it as (default: its own name)'
    },
    copy: {
      type: 'boolean',
      help: 'keep a copy: others can still have what was shared after it changed or went here'
    },
    sealed: {
      type: 'boolean',
      help: 'seal everything: names and contents can only be read with the key in a link'
    },
    'no-key': {
      type: 'boolean',
      help: 'print links without the key: for peers that shall hold it and not read it'
    }
  },
  positionals: [0, FOLDERS_MAX],
  async run(invocation) {
    const { positionals, options } = invocation
    const { name, copy, sealed } = options
    if (name !== undefined && positionals.length !== 1) {
      throw new UsageError('--name goes with one folder', 'share')
    }
    if (name !== undefined && !isFileName(name)) {
      throw new UsageError(`--name ${name}: not the name of a folder`, 'share')
    }
    const hostPaths = await Promise.all(positionals.map(path => during(path, realpath(path))))
    const withKey = options['no-key'] !== true
    const serving = { hostPaths, name, copy, sealed, withKey, idle: false }
    await serve(serving, invocation)
    return EXIT.done
  }
})
