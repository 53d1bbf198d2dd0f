import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { decode, encode } from 'cborg'
import type { HolderReport } from '../../../src/replication/index.ts'
import { HOLDERS_MAX, HOLDER_LIST_BYTES_MAX } from '../../../src/replication/index.ts'
import { HEARSAY_MAX, HINTS_MAX } from '../../../src/replication/circle/circle-limits.ts'
import {
  decodeSaid,
  encodeSaid,
  isSameReport
} from '../../../src/replication/circle/report-record.ts'
import {
  SIGN_OF_LIFE,
  decodeListenRequest,
  decodeNews,
  decodeUnwatchRequest,
  decodeWatchAnswer,
  decodeWatchRequest,
  encodeListenRequest,
  encodeNews,
  encodeUnwatchRequest,
  encodeWatchAnswer,
  encodeWatchRequest
} from '../../../src/replication/circle/watch-messages.ts'
import { createListOwner, peerFor } from '../fixtures.ts'
import { refusesAll, travelled } from './hostile.ts'
import { reportFor } from './members.ts'

const { volume } = await createListOwner()
const test = suite('watch messages')

const gone = [peerFor(1), peerFor(2)].toSorted()
const said = { made: 1_700_000_000_000, report: reportFor({ volume }, { gone, holds: -1 }) }
const news = {
  watch: 5,
  list: Uint8Array.of(1, 2, 3),
  addresses: new Map([[peerFor(1), ['/ip4/192.0.2.1/tcp/4001']]]),
  said,
  heard: {
    sequence: 7,
    holders: [
      { place: 3, ageMs: 12_000 },
      { place: 1023, ageMs: 0, said }
    ]
  },
  ended: true
} as const

function readNews(body: unknown): ReturnType<typeof decodeNews> {
  return decodeNews(body, watch => (watch === 5 ? volume : undefined))
}

test('comes back as it was', () => {
  const addresses = ['/ip4/192.0.2.1/tcp/1']
  const request = { watch: 0, volume, addresses, list: undefined }
  assert.deepEqual(decodeWatchRequest(travelled(encodeWatchRequest(request))), request)
  const shown = { ...request, list: new Uint8Array(HOLDER_LIST_BYTES_MAX) }
  assert.deepEqual(decodeWatchRequest(travelled(encodeWatchRequest(shown))), shown)
  assert.equal(decodeUnwatchRequest(travelled(encodeUnwatchRequest(7))), 7)
  decodeListenRequest(travelled(encodeListenRequest()))
  const { list } = news
  assert.deepEqual(decodeWatchAnswer(travelled(encodeWatchAnswer({ list }))), { list })
  assert.deepEqual(decodeWatchAnswer(travelled(encodeWatchAnswer({}))), {})
  assert.deepEqual(readNews(travelled(encodeNews(news))), news)
  assert.deepEqual(readNews(travelled(encodeNews({ watch: 5 }))), { watch: 5 })
  for (const progress of ['current', 'behind', 'full', 'drained'] as const) {
    const report = reportFor({ volume }, { progress })
    assert.deepEqual(decodeSaid(travelled(encodeSaid({ made: 0, report })), volume).report, report)
  }
})

test('a sign of life, and news of what is not watched any more, say nothing', () => {
  assert.equal(readNews(travelled(SIGN_OF_LIFE)), undefined)
  assert.equal(readNews(travelled(encodeNews({ ...news, watch: 6 }))), undefined)
})

test('those who are gone are sent in order, whatever order they are in', () => {
  const report = reportFor({ volume }, { gone: gone.toReversed() })
  assert.deepEqual(decodeSaid(encodeSaid({ made: 1, report }), volume).report.gone, gone)
})

test('refuses what is not exactly a message', () => {
  const request = encodeWatchRequest({ watch: 1, volume, addresses: [], list: undefined })
  refusesAll(decodeWatchRequest, encodeWatchRequest, travelled(request))
  refusesAll(decodeUnwatchRequest, encodeUnwatchRequest, travelled(encodeUnwatchRequest(1)))
  refusesAll(decodeListenRequest, encodeListenRequest, travelled(encodeListenRequest()))
  const { list } = news
  refusesAll(decodeWatchAnswer, encodeWatchAnswer, travelled(encodeWatchAnswer({ list })))
})

test('refuses what is not exactly news', () => {
  const read = (body: unknown): unknown => decodeNews(body, () => volume)
  const write = (value: Parameters<typeof encodeNews>[0] | undefined): unknown => {
    return value === undefined ? SIGN_OF_LIFE : encodeNews(value)
  }
  refusesAll(read, write, travelled(encodeNews(news)))
})

test('refuses a message that is cut short anywhere', () => {
  const bytes = encode(encodeNews(news))
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => readNews(decode(bytes.subarray(0, length))))
  }
})

test('refuses what is over a limit by one', () => {
  const key = new Uint8Array(32)
  const refuses = (body: object): void => {
    assert.throws(() => readNews({ watch: 5, ...body }), { code: 'EPROTO' })
  }
  const list = new Uint8Array(HOLDER_LIST_BYTES_MAX + 1)
  refuses({ list })
  assert.throws(() => decodeWatchAnswer({ list }), { code: 'EPROTO' })
  refuses({ addresses: Array.from({ length: HINTS_MAX + 1 }, () => [key, []]) })
  refuses({ heard: [1, Array.from({ length: HEARSAY_MAX + 1 }, () => [1, 1])] })
  const all = Array.from({ length: HOLDERS_MAX + 1 }, (_, index) => peerFor(index)).toSorted()
  const withGone = (count: number): unknown => {
    const report = reportFor({ volume }, { gone: all.slice(0, count) })
    return encodeSaid({ made: 1, report })
  }
  refuses({ report: withGone(HOLDERS_MAX + 1) })
  const read = readNews({ watch: 5, report: withGone(HOLDERS_MAX) })
  assert.equal(read?.said?.report.gone.length, HOLDERS_MAX)
  const request = encodeWatchRequest({ watch: 1, volume, addresses: [], list: undefined }) as object
  assert.throws(() => decodeWatchRequest({ ...request, list }), { code: 'EPROTO' })
})

test('refuses reports that cannot be true', () => {
  const refuses = (fields: Partial<HolderReport>): void => {
    const body = encodeSaid({ made: 1, report: reportFor({ volume }, fields) })
    assert.throws(() => decodeSaid(body, volume), { code: 'EPROTO' }, JSON.stringify(fields))
  }
  refuses({ holds: 5, knows: 4 })
  refuses({ gone: [gone[0]!, gone[0]!] })
  refuses({ holds: -2, knows: -2 })
  refuses({ usedBytes: 2 ** 53 })
  refuses({ missingBlocks: -1 })
  refuses({ progress: 'gone' as 'full' })
  refuses({ share: 257 })
  refuses({ share: 0.5 })
  refuses({ shares: new Map([[peerFor(1), 256]]) })
})

test('shares come out as they went in, in order and each once', () => {
  const shares = new Map([peerFor(2), peerFor(1)].map((peer, index) => [peer, index * 255]))
  const said = { made: 1, report: reportFor({ volume }, { share: 256, shares }) }
  assert.deepEqual(decodeSaid(encodeSaid(said), volume).report.shares, shares)
  const items = encodeSaid(said)
  const listed = items.at(-1) as unknown[]
  for (const wrong of [listed.toReversed(), [listed[0], listed[0]], [[1, 2]], [[1]], 7, [7]]) {
    const body = [...items.slice(0, -1), wrong]
    assert.throws(() => decodeSaid(body, volume), { code: 'EPROTO' }, String(wrong))
  }
})

test('knows reports that say the same', () => {
  const report = reportFor({ volume }, { gone })
  assert.ok(isSameReport(report, { ...report, gone: [...gone] }))
  assert.ok(!isSameReport(report, undefined))
  const others: Partial<HolderReport>[] = [
    { progress: 'full' },
    { listSequence: 9 },
    { holds: 1 },
    { knows: 9 },
    { gone: [] },
    { gone: [gone[0]!, peerFor(3)] },
    { missingBlocks: 1 },
    { usedBytes: 1 },
    { pledgeBytes: 1 },
    { share: 3 },
    { shares: new Map([[peerFor(1), 3]]) }
  ]
  for (const other of others) assert.ok(!isSameReport(report, { ...report, ...other }))
})

test.run()
