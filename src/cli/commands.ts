/** Every verb, in the order in which the help lists them, and the one that needs all of them. */
import { defineCommand } from './command.ts'
import type { Command } from './command.ts'
import { accept } from './commands/accept.ts'
import { cat } from './commands/cat.ts'
import { check } from './commands/check.ts'
import { collect } from './commands/collect.ts'
import { get } from './commands/get.ts'
import { holders } from './commands/holders.ts'
import { invite } from './commands/invite.ts'
import { leave } from './commands/leave.ts'
import { ls } from './commands/ls.ts'
import { mount } from './commands/mount.ts'
import { mounts } from './commands/mounts.ts'
import { peers } from './commands/peers.ts'
import { pledge } from './commands/pledge.ts'
import { removeHolder } from './commands/remove-holder.ts'
import { replicas } from './commands/replicas.ts'
import { replicate } from './commands/replicate.ts'
import { run } from './commands/run.ts'
import { share } from './commands/share.ts'
import { shares } from './commands/shares.ts'
import { stat } from './commands/stat.ts'
import { status } from './commands/status.ts'
import { unmount } from './commands/unmount.ts'
import { unshare } from './commands/unshare.ts'
import { version } from './commands/version.ts'
import { EXIT } from './exit-codes.ts'
import { commandHelp, overview } from './help.ts'
import { UsageError } from './usage-error.ts'

const help = defineCommand({
  name: 'help',
  summary: 'tell how a command is used',
  usage: '[<command>]',
  options: {},
  positionals: [0, 1],
  async run({ positionals: [name], output }) {
    const command = COMMANDS.find(one => one.name === name)
    if (name !== undefined && command === undefined) {
      throw new UsageError(`no command is called '${name}'`)
    }
    const lines = command === undefined ? overview(COMMANDS) : commandHelp(command)
    for (const line of lines) await output.line(line)
    return EXIT.done
  }
})

export const COMMANDS: readonly Command[] = [
  share,
  get,
  ls,
  cat,
  stat,
  peers,
  mount,
  unmount,
  mounts,
  shares,
  unshare,
  run,
  status,
  replicas,
  replicate,
  holders,
  invite,
  removeHolder,
  pledge,
  accept,
  leave,
  check,
  collect,
  version,
  help
]
