/**
 * The text of an invitation: a link of the whole volume without its read key, naming its owner, with
 * one parameter more, the token that lets one peer become a holder:
 *
 *     warren:<volume id>/?peer=<owner>&at=<multiaddr>&…&invitation=<26 characters of base32>
 *
 * Everything a link is checked for holds for an invitation, and it opens nothing of a sealed volume.
 */
import { WarrenError } from '../../errors.ts'
import { formatLink, parseLink } from '../../namespace/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { PeerId } from '../../peer/index.ts'
import type { RandomBytes } from '../random-bytes.ts'

export interface Invitation {
  readonly volume: VolumeId
  readonly owner: PeerId
  /** Multiaddrs of the owner, each ending in `/p2p/<owner>`. */
  readonly addresses: readonly string[]
  readonly token: string
}

const PARAMETER = 'invitation'

/** Nobody finds one by trying. */
const TOKEN_BYTES = 16

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export function formatInvitation({ volume, owner, addresses, token }: Invitation): string {
  const parameters = [[PARAMETER, token] as const]
  return formatLink({ volume, path: '/', peers: [{ id: owner, addresses }], parameters })
}

/** Throws `EINVAL` for anything else. */
export function parseInvitation(text: string): Invitation {
  const { volume, peers, parameters = [] } = parseLink(text)
  const [token, ...more] = parameters.filter(([name]) => name === PARAMETER)
  const [owner] = peers
  if (token === undefined || more.length > 0 || owner === undefined || !isToken(token[1])) {
    throw new WarrenError('EINVAL', { message: 'the text is not an invitation' })
  }
  return { volume, owner: owner.id, addresses: owner.addresses, token: token[1] }
}

/** 128 bits and two of padding are 26 characters of five. */
export function createToken(randomBytes: RandomBytes): string {
  let bits = 0n
  for (const byte of randomBytes(TOKEN_BYTES)) bits = (bits << 8n) | BigInt(byte)
  bits <<= 2n
  let token = ''
  for (let shift = 125n; shift >= 0n; shift -= 5n) token += ALPHABET[Number((bits >> shift) & 31n)]
  return token
}

export function isToken(text: unknown): text is string {
  return typeof text === 'string' && /^[a-z2-7]{26}$/.test(text)
}
