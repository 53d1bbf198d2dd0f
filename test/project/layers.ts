/**
 * The arrows of the architecture as data: `peer ← blocks ← namespace ← replication ← index ←
 * gateways, cli`. A file may import from the layers to the left of its own, by their doors.
 */
import type { SourceFile } from './sources.ts'

/** From the lowest to the highest. Files that stand directly in `src`, and `src/defaults`, are `index`. */
const LAYERS = ['peer', 'blocks', 'namespace', 'replication', 'index', 'gateways', 'cli'] as const
export type Layer = (typeof LAYERS)[number]

/**
 * What other layers may import besides a layer's own `index.ts`. Each is there because it needs a
 * platform that the core must do without.
 */
export const SIDE_DOORS: readonly string[] = [
  'src/peer/node-peer.ts',
  'src/blocks/disk/index.ts',
  'src/namespace/disk/index.ts',
  'src/namespace/host/index.ts',
  'src/replication/disk/index.ts'
]

/** Where `node:*` may be imported. */
const NODE_PLACES = [
  /^src\/peer\/node-(noise\/|tcp\.ts$)/,
  /^src\/(.+\/)?disk\//,
  /^src\/namespace\/host\//,
  /^src\/gateways\//,
  /^src\/cli\//,
  /^src\/defaults\/node\.ts$/
]

const LIBP2P = /^(?:libp2p|@libp2p\/.+|@chainsafe\/.+)$/

const EVERYONES = 'src/errors.ts'

/** `undefined` for a folder that is no layer. */
export function layerOf(path: string): Layer | undefined {
  const [, folder, ...inside] = path.split('/')
  if (inside.length === 0 || folder === 'defaults') return 'index'
  return LAYERS.find(layer => layer === folder && layer !== 'index')
}

/** What is wrong with the imports of one file of `src`, one sentence each. */
export function findWrongImports(source: SourceFile): string[] {
  const { path, files, packages } = source
  const layer = layerOf(path)
  if (path === EVERYONES && files.length > 0) return [`${path} imports something`]
  if (layer === undefined) return [`${path} stands in a folder that is no layer`]
  const wrong = files.flatMap(target => {
    const problem = judgeImport(layer, target)
    return problem === undefined ? [] : [`${path} imports ${target}: ${problem}`]
  })
  for (const name of packages) {
    if (name.startsWith('node:') && !NODE_PLACES.some(place => place.test(path))) {
      wrong.push(`${path} imports ${name}: the core runs in the browser too`)
    }
    if (LIBP2P.test(name) && layer !== 'peer') {
      wrong.push(`${path} imports ${name}: only src/peer imports libp2p`)
    }
  }
  return wrong
}

function judgeImport(from: Layer, target: string): string | undefined {
  if (target === EVERYONES) return undefined
  if (!target.startsWith('src/')) return 'src imports nothing from outside of it'
  const to = layerOf(target)
  if (to === undefined) return 'that folder is no layer'
  if (to === from) return undefined
  if (LAYERS.indexOf(to) > LAYERS.indexOf(from)) return `${from} stands below ${to}`
  // What stands on the public API stands on nothing else.
  if (
    LAYERS.indexOf(from) > LAYERS.indexOf('index') &&
    LAYERS.indexOf(to) < LAYERS.indexOf('index')
  ) {
    return `${from} stands on the public API alone`
  }
  const door = to === 'index' ? 'src/index.ts' : `src/${to}/index.ts`
  const isDoor = target === door || SIDE_DOORS.includes(target) || isGatewayDoor(target)
  return isDoor ? undefined : `that is not a door of ${to}`
}

/** Each gateway is an entry of its own: `src/gateways/webdav/index.ts`. */
function isGatewayDoor(path: string): boolean {
  return /^src\/gateways\/[^/]+\/index\.ts$/.test(path)
}
