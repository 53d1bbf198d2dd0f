/** Less is believed at once, more only after a rest: nobody makes blocks go to and fro. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { BelievedShares } from '../../../src/replication/circle/believed-shares.ts'
import { OwnShare } from '../../../src/replication/holding/own-share.ts'
import { createManualClock } from '../../peer/manual-clock.ts'
import { peerFor } from '../fixtures.ts'

const test = suite('shares')

const REST_MS = 1_000

test('a holder that says more and less all the time is believed once a rest', async () => {
  const clock = createManualClock()
  let changes = 0
  const shares = new BelievedShares({ clock, restMs: REST_MS, changed: () => changes++ })
  const holder = peerFor(1)
  for (let count = 0; count < 100; count++) {
    shares.said(holder, 10)
    shares.said(holder, 256)
    await clock.advance(REST_MS / 10)
  }
  assert.ok(changes <= 21, `${changes} changes`)
  shares.said(holder, 10)
  assert.equal(shares.now.get(holder), 10)
  shares.said(holder, 5)
  assert.equal(shares.now.get(holder), 5)
  shares.said(holder, 100)
  await clock.advance(REST_MS - 1)
  assert.equal(shares.now.get(holder), 5)
  await clock.advance(1)
  assert.equal(shares.now.get(holder), 100)
  shares.keep(() => false)
  assert.equal(shares.now.size, 0)
})

/** What a version that does not fit would fit with. */
const fitting = (
  ours: number,
  besideSurplus = ours
): { readonly ours: number; readonly besideSurplus: number } => ({ ours, besideSurplus })

test('our own share is raised after a pause, and later when that was too much', async () => {
  const clock = createManualClock()
  const kept: number[] = []
  const share = new OwnShare(
    { clock, keep: async value => void kept.push(value), due: () => {} },
    { share: 256, raiseMs: REST_MS, giveUpMs: REST_MS }
  )
  assert.equal(await share.doesNotFit([1], undefined), false)
  assert.equal(await share.doesNotFit([1], fitting(100)), true)
  assert.equal(await share.doesNotFit([1], fitting(100)), false)
  assert.equal(await share.raise(() => 256), false)
  await clock.advance(REST_MS)
  assert.equal(await share.raise(() => 200), true)
  assert.equal(await share.doesNotFit([1], fitting(90)), true)
  await clock.advance(REST_MS)
  assert.equal(await share.raise(() => 200), false)
  await clock.advance(REST_MS)
  assert.equal(await share.raise(() => 90), false)
  await clock.advance(2 * REST_MS)
  assert.equal(await share.raise(() => 256), true)
  assert.deepEqual(kept, [100, 200, 90, 256])
  share.stop()
})

test('what others do not take from us makes our share smaller after a while', async () => {
  const clock = createManualClock()
  const share = new OwnShare(
    { clock, keep: async () => {}, due: () => {} },
    { share: 256, raiseMs: 10 * REST_MS, giveUpMs: REST_MS }
  )
  assert.equal(await share.surplusStays({ forGood: false }), false)
  await share.doesNotFit([1, 2], fitting(100, 40))
  assert.ok(share.isHopeless([1, 2]) && !share.isHopeless([1, 3]))
  await clock.advance(REST_MS - 1)
  await share.doesNotFit([1, 3], fitting(100, 50))
  assert.equal(await share.surplusStays({ forGood: false }), false)
  await clock.advance(1)
  assert.equal(await share.surplusStays({ forGood: false }), true)
  assert.equal(share.now, 50)
  assert.equal(await share.surplusStays({ forGood: false }), false)
  share.tryAgain()
  assert.equal(share.isHopeless([1, 3]), false)
  await share.doesNotFit([1, 4], fitting(50, 30))
  assert.equal(await share.surplusStays({ forGood: true }), true)
  assert.equal(share.now, 30)
  share.fits()
  await clock.advance(2 * REST_MS)
  assert.equal(await share.surplusStays({ forGood: false }), false)
  share.stop()
})

test.run()
