/** `warren invite`: asks somebody to hold the own volume. */
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { during } from '../failure.ts'
import { joinHome } from '../join-home.ts'
import { parsePeer } from '../peer-argument.ts'

export const invite: Command = defineCommand({
  name: 'invite',
  summary: 'ask somebody to hold copies of what is here',
  usage: '[<peer-or-address>]',
  details:
    "Prints an invitation: who is given it first and says 'warren accept <invitation>' becomes a " +
    'holder, while this peer runs. It does not open what is sealed. A peer whose pledge names this one (warren ' +
    'pledge --to) is made a holder at once, when it is named here and can be reached.',
  options: {},
  positionals: [0, 1],
  joins: true,
  async run({ positionals: [text], settings, output, signal }) {
    const peer = text === undefined ? undefined : parsePeer(text, 'invite')
    await using home = await joinHome(settings)
    const { timeoutMs } = settings
    if (text !== undefined && text.includes('/')) {
      await during(`connecting to ${peer}`, home.warren.connect(text, { signal }))
    }
    const work = home.warren.replication.invite(peer, { signal, timeoutMs })
    const invitation = await during(peer === undefined ? 'inviting' : `inviting ${peer}`, work)
    if (output.json) await output.value({ invitation, ...(peer === undefined ? {} : { peer }) })
    else await output.line(invitation)
    if (!home.runs) output.note("it can be accepted while 'warren run' or 'warren share' runs here")
    return EXIT.done
  }
})
