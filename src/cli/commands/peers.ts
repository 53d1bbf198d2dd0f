/** `warren peers`: lists who is there and what they offer. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerReport } from '../../index.ts'
import { defineCommand } from '../command.ts'
import type { Command } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { openGuest } from '../open-warren.ts'
import type { Output } from '../output.ts'
import { parseSeconds } from '../settings.ts'

/** Peers on the local network answer within a second or two. */
const WAIT_MS = 3_000

export const peers: Command = defineCommand({
  name: 'peers',
  summary: 'list who is there and what they offer',
  usage: '[--wait <seconds>]',
  details:
    'What a peer offers is listed under the path that works on every peer, and by its link. Peers on ' +
    'other networks are told by --peer.',
  options: {
    wait: { type: 'string', argument: '<seconds>', help: 'how long to look for peers (default: 3)' }
  },
  positionals: [0, 0],
  async run({ options: { wait }, settings, output, signal }) {
    const waitMs = wait === undefined ? WAIT_MS : parseSeconds('wait', wait)
    await using warren = await openGuest(settings)
    await sleep(waitMs, undefined, { signal })
    const found = await warren.peers({ signal })
    for (const peer of found) {
      if (output.json) await output.value(peer)
      else await printPeer(output, peer)
    }
    if (found.length === 0) output.note('nobody is there')
    return EXIT.done
  }
})

async function printPeer(output: Output, peer: PeerReport): Promise<void> {
  const states = [
    peer.local ? 'on this network' : '',
    peer.connected ? 'connected' : 'not connected'
  ]
  await output.line(`${peer.id}  ${states.filter(state => state !== '').join(', ')}`)
  for (const address of peer.addresses) await output.line(`    at ${address}`)
  for (const { name, path, link } of peer.shares) {
    await output.line(`  ${name}`)
    await output.line(`    ${path}`)
    await output.line(`    ${link}`)
  }
  if (peer.shares.length === 0) await output.line('  offers nothing')
}
