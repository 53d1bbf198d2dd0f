/** Carol joins, is invited and leaves; mallory asks for more than she may. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { WarrenError } from '../../../src/errors.ts'
import { publicKeyOf } from '../../../src/peer/index.ts'
import type { Peer } from '../../../src/peer/index.ts'
import {
  HOLDER_LIST_BYTES_MAX,
  callInvite,
  callJoin,
  callLeave,
  callPledge,
  createMembershipHandlers
} from '../../../src/replication/index.ts'
import type {
  JoinRequest,
  LeaveRequest,
  MembershipDecisions
} from '../../../src/replication/index.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  ADDRESS_LENGTH_MAX,
  HINTS_MAX,
  MEMBERSHIP_BURST,
  TOKEN_LENGTH_MAX
} from '../../../src/replication/circle/circle-limits.ts'
import {
  decodeAccepted,
  decodeInvite,
  decodeJoin,
  decodeJoined,
  decodeLeave,
  decodePledge,
  encodeAccepted,
  encodeInvite,
  encodeJoin,
  encodeJoined,
  encodeLeave,
  encodePledge
} from '../../../src/replication/circle/membership-messages.ts'
import { createListOwner, holderFor, peerFor } from '../fixtures.ts'
import type { ListOwner } from '../fixtures.ts'
import { Holders, backgroundClock, codeOf } from '../replicas-fixtures.ts'
import { refusesAll, travelled } from './hostile.ts'

interface Context {
  holders: Holders
  owner: ListOwner
}

const test = suite<Context>('membership')
test.before.each(async context => {
  context.holders = new Holders()
  context.owner = await createListOwner()
})
test.after.each(({ holders }) => holders.stop())

const request: JoinRequest = {
  token: 'mfrggzdfmztwq2lknnwg23tpob',
  pledgeBytes: 1000,
  zone: 'Zürich',
  addresses: ['/ip4/192.0.2.1/tcp/4001']
}

async function addPeer({ holders }: Context, decisions: MembershipDecisions = {}): Promise<Peer> {
  const verbs = {}
  const peer = await holders.add(verbs)
  Object.assign(verbs, createMembershipHandlers({ peer, clock: backgroundClock, ...decisions }))
  return peer
}

function addressesOf(peer: Peer, other: Peer): readonly string[] {
  return peer.known().find(({ id }) => id === other.id)?.addresses ?? []
}

test('who has an invitation gets a list that names it, and finds the others', async context => {
  const { owner, holders } = context
  const bob = await holders.add()
  const asked: unknown[] = []
  const alice = await addPeer(context, {
    onJoin: (volume, from, joining) => {
      asked.push(volume, from, joining)
      const peers = [alice.id, bob.id, from]
      return owner.sign({ holders: peers.map(peer => holderFor(0, { peer })) })
    }
  })
  const carol = holders.network.createPeer({ discovery: false })
  await carol.start()
  await carol.remember(alice.id, alice.addresses())
  const list = await callJoin(carol, alice.id, { volume: owner.volume, ...request })
  assert.deepEqual(asked, [owner.volume, carol.id, request])
  assert.equal(list.holders.length, 3)
  assert.deepEqual(addressesOf(carol, bob), bob.addresses())
  assert.ok(addressesOf(alice, carol).includes(request.addresses[0]!))
  await carol.stop()
})

test('what the owner decides against arrives with its code', async context => {
  const { owner } = context
  const carol = await addPeer(context)
  for (const code of ['EACCES', 'EDQUOT'] as const) {
    const alice = await addPeer(context, { onJoin: () => Promise.reject(new WarrenError(code)) })
    assert.equal(
      await codeOf(callJoin(carol, alice.id, { volume: owner.volume, ...request })),
      code
    )
  }
})

test('a list that does not name who joins, or is not signed, is no answer', async context => {
  const { owner } = context
  const carol = await addPeer(context)
  const mallory = await createListOwner()
  const other = await addPeer(context, { onJoin: () => owner.sign() })
  const joining = { volume: owner.volume, ...request }
  assert.equal(await codeOf(callJoin(carol, other.id, joining)), 'EPROTO')
  const holder = holderFor(0, { peer: carol.id })
  const forger = await addPeer(context, {
    onJoin: async () => {
      const [list, forged] = await Promise.all([owner.sign(), mallory.sign({ holders: [holder] })])
      const bytes = forged.bytes.slice()
      bytes.set(list.bytes.subarray(0, 36))
      return { ...forged, bytes }
    }
  })
  assert.equal(await codeOf(callJoin(carol, forger.id, joining)), 'EBADMSG')
})

test('a peer that pledged to us says what it offers', async context => {
  const { owner } = context
  const offer = { pledgeBytes: 5000, zone: 'attic' }
  const carol = await addPeer(context, {
    onInvite: async (_volume, from) => {
      if (from === alice.id) return offer
      throw new WarrenError('EACCES')
    }
  })
  const alice = await addPeer(context)
  const mallory = await addPeer(context)
  const invitation = { volume: owner.volume, addresses: ['/ip4/192.0.2.7/tcp/1'] }
  assert.deepEqual(await callInvite(alice, carol.id, invitation), offer)
  assert.ok(addressesOf(carol, alice).includes('/ip4/192.0.2.7/tcp/1'))
  assert.equal(await codeOf(callInvite(mallory, carol.id, invitation)), 'EACCES')
})

test('who leaves is noted before it is answered', async context => {
  const { owner } = context
  const left: LeaveRequest[] = []
  const alice = await addPeer(context, {
    onLeave: async (_volume, _from, leaving) => void left.push(leaving)
  })
  const carol = await addPeer(context)
  for (const leaving of [
    { drain: true, left: false },
    { drain: false, left: true }
  ]) {
    await callLeave(carol, alice.id, { volume: owner.volume, ...leaving })
    assert.deepEqual(left.at(-1), leaving)
  }
})

test('what a holder gives from now on is said by itself, and of itself', async context => {
  const { owner } = context
  const said: unknown[] = []
  const alice = await addPeer(context, {
    onPledge: async (_volume, from, pledge) => void said.push([from, pledge])
  })
  const [carol, dave] = [await addPeer(context), await addPeer(context)]
  const pledge = { pledgeBytes: 7000, zone: 'attic' }
  await callPledge(carol, alice.id, { volume: owner.volume, ...pledge })
  assert.deepEqual(said, [[carol.id, pledge]])
  const unserved = callPledge(carol, dave.id, { volume: owner.volume, ...pledge })
  assert.equal(await codeOf(unserved), 'ENOTSUP')
})

test('what nobody here decides is not supported', async context => {
  const { volume } = context.owner
  const [alice, carol] = [await addPeer(context), await addPeer(context)]
  const leaving = callLeave(carol, alice.id, { volume, drain: true, left: false })
  assert.equal(await codeOf(leaving), 'ENOTSUP')
  assert.equal(await codeOf(callJoin(carol, alice.id, { volume, ...request })), 'ENOTSUP')
  assert.equal(await codeOf(callInvite(carol, alice.id, { volume, addresses: [] })), 'ENOTSUP')
})

test('a peer that guesses tokens is slowed down, and others are not', async context => {
  const { volume } = context.owner
  let asked = 0
  const alice = await addPeer(context, {
    onJoin: async () => {
      asked++
      throw new WarrenError('EACCES')
    }
  })
  const [mallory, carol] = [await addPeer(context), await addPeer(context)]
  for (let index = 0; index < MEMBERSHIP_BURST; index++) {
    assert.equal(await codeOf(callJoin(mallory, alice.id, { volume, ...request })), 'EACCES')
  }
  assert.equal(await codeOf(callJoin(mallory, alice.id, { volume, ...request })), 'EBUSY')
  assert.equal(asked, MEMBERSHIP_BURST)
  assert.equal(await codeOf(callJoin(carol, alice.id, { volume, ...request })), 'EACCES')
})

test('refuses what is not exactly a message', async ({ owner }) => {
  const { volume } = owner
  const { bytes } = await owner.sign()
  const hints = new Map([[peerFor(1), ['/ip4/192.0.2.1/tcp/1']]])
  refusesAll(decodeJoin, encodeJoin, travelled(encodeJoin({ volume, ...request })))
  refusesAll(
    decodeJoined,
    ({ list, addresses }: ReturnType<typeof decodeJoined>) => encodeJoined(list, addresses),
    travelled(encodeJoined(bytes, hints))
  )
  refusesAll(decodeInvite, encodeInvite, travelled(encodeInvite({ volume, addresses: [] })))
  refusesAll(decodeAccepted, encodeAccepted, travelled(encodeAccepted(request)))
  const pledge = { volume, pledgeBytes: 7000, zone: 'attic' }
  refusesAll(decodePledge, encodePledge, travelled(encodePledge(pledge)))
  refusesAll(decodeLeave, encodeLeave, travelled(encodeLeave({ volume, drain: true, left: false })))
})

test('refuses what is over a limit by one', async ({ owner: { volume } }) => {
  const good = encodeJoin({ volume, ...request }) as Record<string, unknown>
  const refuses = (read: (body: unknown) => unknown, body: unknown): void => {
    assert.throws(() => read(body), { code: 'EPROTO' })
  }
  const address = request.addresses[0]!
  const addresses = Array.from({ length: ADDRESSES_PER_PEER_MAX + 1 }, () => address)
  refuses(decodeJoin, { ...good, token: 'a'.repeat(TOKEN_LENGTH_MAX + 1) })
  refuses(decodeJoin, { ...good, zone: 'z'.repeat(65) })
  refuses(decodeJoin, { ...good, pledge: 0 })
  refuses(decodeJoin, { ...good, addresses })
  refuses(decodeJoined, { list: new Uint8Array(HOLDER_LIST_BYTES_MAX + 1), addresses: [] })
  const hints = Array.from({ length: HINTS_MAX + 1 }, () => [new Uint8Array(32), []])
  refuses(decodeJoined, { list: new Uint8Array(1), addresses: hints })
  assert.equal(decodeJoin(encodeJoin({ volume, ...request, addresses })).addresses.length, 8)
})

test('what cannot be an address of that peer is refused, and never sent', ({ owner }) => {
  const joining = { volume: owner.volume, ...request }
  const long = `/${'a'.repeat(ADDRESS_LENGTH_MAX)}`
  for (const odd of ['ip4', '/', '/ip4/1.2.3.4 ', '/dns/\u001b[2J', long]) {
    const body = { ...(encodeJoin(joining) as object), addresses: [odd] }
    assert.throws(() => decodeJoin(body), { code: 'EPROTO' })
    assert.deepEqual(decodeJoin(encodeJoin({ ...joining, addresses: [odd] })).addresses, [])
  }
  const [alice, bob] = [peerFor(1), peerFor(2)]
  const direct = '/ip4/192.0.2.1/tcp/1'
  const relayed = `${direct}/p2p/${bob}/p2p-circuit/p2p/${alice}`
  const list = new Uint8Array(1)
  const hints = new Map([[alice, [`${direct}/p2p/${bob}`, relayed, direct]]])
  const { addresses } = decodeJoined(encodeJoined(list, hints))
  assert.deepEqual(addresses, new Map([[alice, [relayed, direct]]]))
  const key = publicKeyOf(alice)
  for (const wrong of [
    [[key, [`${direct}/p2p/${bob}`]]],
    [
      [key, []],
      [key, []]
    ]
  ]) {
    assert.throws(() => decodeJoined({ list, addresses: wrong }), { code: 'EPROTO' })
  }
})

test.run()
