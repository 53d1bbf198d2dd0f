/** Tells what happens to copies while a peer runs: a remark each for people, a line for programs. */
import type { ReplicationEvents, Warren } from '../index.ts'
import { DISTRUST } from './describe-status.ts'
import type { Output } from './output.ts'
import { formatAmount, formatBytes } from './units.ts'

type Events = { readonly [Name in keyof ReplicationEvents]: ReplicationEvents[Name]['detail'] }

const TEXTS: { readonly [Name in keyof Events]: (detail: Events[Name]) => string } = {
  'holder-joined': ({ peer }) => `${peer} is a holder now`,
  'holder-gone': ({ peer }) => `${peer} is gone: its copies are made again elsewhere`,
  'holder-returned': ({ peer }) => `${peer} is back`,
  'holder-distrusted': ({ peer, reason }) => `${peer} is not counted on: ${DISTRUST[reason]}`,
  'holder-trusted': ({ peer }) => `${peer} is counted on again`,
  'under-replicated': () => 'there are fewer copies than there should be',
  replicated: ({ version }) => `version ${version} has all its copies`,
  repaired: ({ blocks, bytes }) =>
    `${formatAmount(blocks, 'block')} copied here, ${formatBytes(bytes)}`,
  lost: ({ ids }) => `nobody who can be reached has ${formatAmount(ids.length, 'block')}`,
  'corrupt-found': ({ peer, blocks }) => `${formatAmount(blocks, 'block')} damaged at ${peer}`,
  'pledge-exceeded': ({ peer }) => `no more room within the pledge of ${peer}`
}

/** Until the signal is aborted. */
export function tellReplication(
  { replication, volume: own }: Pick<Warren, 'replication' | 'volume'>,
  output: Output,
  signal: AbortSignal
): void {
  const listen = <Name extends keyof ReplicationEvents>(name: Name): void => {
    const tell = ({ detail }: ReplicationEvents[Name]): void => {
      if (output.json) void output.value({ event: name, ...jsonOf(detail) })
      else {
        const whose = detail.volume === own ? '' : `volume ${detail.volume}: `
        output.note(whose + (TEXTS[name] as (detail: object) => string)(detail))
      }
    }
    replication.events.addEventListener(name, tell)
    signal.addEventListener('abort', () => replication.events.removeEventListener(name, tell), {
      once: true
    })
  }
  for (const name of Object.keys(TEXTS)) listen(name as keyof ReplicationEvents)
}

/** Ids of lost blocks may be thousands: programs are told how many. */
function jsonOf(detail: object): object {
  return 'ids' in detail && Array.isArray(detail.ids)
    ? { ...detail, ids: undefined, blocks: detail.ids.length }
    : detail
}
