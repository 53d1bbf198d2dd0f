/**
 * Share links: all that another peer needs to mount what is shared, as text that survives mail,
 * chat and shells.
 *
 *     warren:<volume id>/<path>?peer=<peer id>&at=<multiaddr>&at=…&peer=…&name=<name>&key=<read key>
 *
 * A URI of RFC 3986 with a rootless path: the volume id, then the names of the path, each
 * percent-encoded. Every `at` is an address of the `peer` before it, without the `/p2p/<peer id>`
 * that all of them would end in. Peers and addresses are hints: any holder of the volume will do.
 * `name` is what the share is called. `key` opens a sealed volume, all of it: whoever has the link can
 * read it; without, the volume can only be held. Parameters of other names are kept as they are, so
 * that links of later versions, with grants, pass through this one.
 */
import { parseReadKey } from '../blocks/index.ts'
import type { ReadKey } from '../blocks/index.ts'
import { WarrenError } from '../errors.ts'
import { isPeerId } from '../peer/index.ts'
import type { PeerId } from '../peer/index.ts'
import type { VolumeId } from './heads/head.ts'
import { isShareName, isSharePath } from './heads/share-name.ts'
import { parseVolumeId } from './heads/volume-id.ts'

/** Hints enough to find one that is up. */
export const LINK_PEERS_MAX = 8

/** A host with several networks, over both versions of IP, has about this many. */
export const LINK_ADDRESSES_MAX = 16

/** The longest addresses in use, of WebRTC over a relay with a certificate hash, have about 250. */
export const LINK_ADDRESS_LENGTH_MAX = 320

/** Parameters of names that this version does not know. */
export const LINK_PARAMETERS_MAX = 32

/** The longest path and every hint fit, with all their characters encoded, and then some. */
export const LINK_LENGTH_MAX: number = 256 * 1024

/** Parameters of this version, which mean what `Link` says. */
const KNOWN: ReadonlySet<string> = new Set(['peer', 'at', 'name', 'key'])

export interface LinkPeer {
  readonly id: PeerId
  /** Multiaddrs, each ending in `/p2p/<id>`. */
  readonly addresses: readonly string[]
}

export interface Link {
  readonly volume: VolumeId
  /** Canonical path of the shared file or directory in the volume; `/` for all of it. */
  readonly path: string
  readonly peers: readonly LinkPeer[]
  readonly name?: string
  /** A secret. */
  readonly key?: ReadKey
  /** Parameters this version does not know, in order. */
  readonly parameters?: readonly (readonly [name: string, value: string])[]
}

/**
 * Throws `EINVAL` for a path or a name that no share has. Peers and addresses beyond the limits,
 * and what is no address, are left out.
 */
export function formatLink({ volume, path, peers, name, key, parameters = [] }: Link): string {
  if (!isSharePath(path)) throw refused('its path is not canonical')
  if (name !== undefined && !isShareName(name)) throw refused('its name is not one of a share')
  if (parameters.some(([parameter]) => KNOWN.has(parameter)))
    throw refused('a parameter has a known name')
  const pairs: (readonly [string, string])[] = []
  for (const { id, addresses } of peers.slice(0, LINK_PEERS_MAX)) {
    pairs.push(['peer', id])
    const hints = new Set(addresses.map(address => withoutPeer(address, id)).filter(isAddress))
    for (const hint of [...hints].slice(0, LINK_ADDRESSES_MAX)) pairs.push(['at', hint])
  }
  if (name !== undefined) pairs.push(['name', name])
  if (key !== undefined) pairs.push(['key', key])
  const query = [...pairs, ...parameters].map(pair => pair.map(encodeValue).join('=')).join('&')
  const text = `warren:${parseVolumeId(volume)}${path.split('/').map(encodeValue).join('/')}`
  const link = query === '' ? text : `${text}?${query}`
  // Whatever else is wrong with what was given, a link that cannot be read is never handed out.
  parseLink(link)
  return link
}

/** Throws `EINVAL` for anything but a link within the limits. */
export function parseLink(text: string): Link {
  if (text.length > LINK_LENGTH_MAX) {
    throw refused(`${text.length} characters, ${LINK_LENGTH_MAX} at most`)
  }
  if (!/^[!-~]*$/.test(text)) throw refused('it has characters that must be encoded')
  const match = /^warren:([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i.exec(text)
  if (match === null) throw refused('it is not of the form warren:<volume>/<path>?<parameters>')
  const [, volume = '', path = '', query = ''] = match
  return { volume: parseVolumeId(volume), path: parsePath(path), ...parseQuery(query) }
}

function parsePath(text: string): string {
  const path = text === '' ? '/' : text.split('/').map(decodeName).join('/')
  if (isSharePath(path)) return path
  throw refused('its path is not canonical')
}

/** One name of a path. A slash within a name would make two names of it. */
function decodeName(text: string): string {
  const name = decodeValue(text)
  if (name.includes('/')) throw refused('a name in its path has a slash')
  return name
}

function parseQuery(query: string): Omit<Link, 'volume' | 'path'> {
  const peers = new Map<PeerId, string[]>()
  const parameters: [string, string][] = []
  const names: string[] = []
  const keys: string[] = []
  let addresses: { readonly id: PeerId; readonly list: string[] } | undefined
  for (const [parameter, value] of splitQuery(query)) {
    if (parameter === 'peer') {
      const id = parsePeer(value, peers)
      addresses = { id, list: [] }
      peers.set(id, addresses.list)
    } else if (parameter === 'at') {
      if (addresses === undefined) throw refused('an address comes before its peer')
      addresses.list.push(parseAddress(value, addresses.id))
      if (addresses.list.length > LINK_ADDRESSES_MAX) {
        throw refused(`more than ${LINK_ADDRESSES_MAX} addresses of a peer`)
      }
    } else if (parameter === 'name') names.push(value)
    else if (parameter === 'key') keys.push(value)
    else parameters.push([parameter, value])
  }
  if (names.length > 1 || !names.every(isShareName)) throw refused('its name is not one of a share')
  if (keys.length > 1) throw refused('it has two keys')
  if (parameters.length > LINK_PARAMETERS_MAX) throw refused('it has too many parameters')
  return {
    peers: [...peers].map(([id, list]) => ({ id, addresses: list })),
    ...(names[0] !== undefined && { name: names[0] }),
    ...(keys[0] !== undefined && { key: parseReadKey(keys[0]) }),
    ...(parameters.length > 0 && { parameters })
  }
}

const PAIRS_MAX = LINK_PEERS_MAX * (1 + LINK_ADDRESSES_MAX) + 2 + LINK_PARAMETERS_MAX

function splitQuery(query: string): [string, string][] {
  if (query === '') return []
  const pairs = query.split('&', PAIRS_MAX + 1)
  if (pairs.length > PAIRS_MAX) throw refused('it has too many parameters')
  return pairs.map(pair => {
    const [name = '', ...value] = pair.split('=')
    if (name === '') throw refused('a parameter has no name')
    return [decodeValue(name), decodeValue(value.join('='))]
  })
}

function parsePeer(value: string, known: ReadonlyMap<PeerId, unknown>): PeerId {
  if (!isPeerId(value)) throw refused(`'${value.slice(0, 64)}' is not the id of a peer`)
  if (known.has(value)) throw refused('it names a peer twice')
  if (known.size === LINK_PEERS_MAX) throw refused(`more than ${LINK_PEERS_MAX} peers`)
  return value
}

function parseAddress(value: string, id: PeerId): string {
  if (isAddress(value)) return `${value}/p2p/${id}`
  throw refused(`'${value.slice(0, 64)}' is not an address`)
}

function withoutPeer(address: string, id: PeerId): string {
  const end = `/p2p/${id}`
  return address.endsWith(end) ? address.slice(0, -end.length) : address
}

/**
 * The outer form of a multiaddr that does not say whose it is. What its parts mean is not looked
 * at, because a link may come from a peer with transports that we do not have.
 */
function isAddress(text: string): boolean {
  return (
    text.length <= LINK_ADDRESS_LENGTH_MAX &&
    /^(?:\/[!-.0-~]+)+$/.test(text) &&
    !/\/p2p\/[^/]+$/.test(text)
  )
}

/** What RFC 3986 allows in a query stays readable. */
function encodeValue(text: string): string {
  if (!text.isWellFormed()) throw refused('it has half a character')
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':')
}

function decodeValue(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw refused('its percent-encoding is broken', cause)
  }
}

function refused(why: string, cause?: unknown): WarrenError {
  const details = cause === undefined ? {} : { cause }
  return new WarrenError('EINVAL', { message: `the link: ${why}`, ...details })
}
