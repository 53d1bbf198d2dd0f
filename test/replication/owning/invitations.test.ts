/** Invitations: their text, and that each is good once and for a week. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { createVolumeId, formatLink } from '../../../src/namespace/index.ts'
import { createMemoryReplicationStore } from '../../../src/replication/index.ts'
import { KeptRecord } from '../../../src/replication/kept-record.ts'
import {
  createToken,
  formatInvitation,
  parseInvitation
} from '../../../src/replication/owning/invitation.ts'
import {
  INVITATIONS_MAX,
  INVITATION_MS,
  Invitations
} from '../../../src/replication/owning/invitations.ts'
import { digestFor, peerFor } from '../fixtures.ts'
import { createRandomBytes } from '../replicas-fixtures.ts'

const test = suite('invitations')

const volume = createVolumeId(digestFor('volume'))
const owner = peerFor(1)
const addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${owner}`]

test('the text says volume, owner, addresses and token, and nothing else is one', () => {
  const token = createToken(createRandomBytes(1))
  const text = formatInvitation({ volume, owner, addresses, token })
  assert.deepEqual(parseInvitation(text), { volume, owner, addresses, token })
  assert.match(token, /^[a-z2-7]{26}$/)
  const link = formatLink({ volume, path: '/', peers: [{ id: owner, addresses }] })
  const wrong = [
    '',
    link,
    text.replace('invitation=', 'invitation=A'),
    `${text}&invitation=${token}`,
    text.slice(0, -1),
    `warren:${volume}/?invitation=${token}`,
    'x'.repeat(1_000_000)
  ]
  for (const each of wrong) assert.throws(() => parseInvitation(each), { code: 'EINVAL' })
})

test('all bits of a token are random', () => {
  const zeros = createToken(length => new Uint8Array(length))
  const ones = createToken(length => new Uint8Array(length).fill(255))
  assert.equal(zeros, 'a'.repeat(26))
  assert.equal(ones, '7'.repeat(25) + '4')
})

async function create(): Promise<{ invitations: Invitations; clock: { at: number } }> {
  const clock = { at: 1_000 }
  const record = await KeptRecord.open(createMemoryReplicationStore())
  const invitations = new Invitations({
    record,
    clock: { now: () => clock.at },
    randomBytes: createRandomBytes(1)
  })
  return { invitations, clock }
}

test('each is good once, unless it is put back', async () => {
  const { invitations } = await create()
  const token = await invitations.create()
  const putBack = await invitations.take(token)
  await assert.rejects(invitations.take(token), { code: 'EACCES' })
  await putBack()
  await invitations.take(token)
  await assert.rejects(invitations.take('nonsense'), { code: 'EACCES' })
  const two = await Promise.allSettled([invitations.create(), invitations.create()])
  assert.ok(two.every(({ status }) => status === 'fulfilled'))
})

test('of two who show one at once, one gets in', async () => {
  const { invitations } = await create()
  const token = await invitations.create()
  const results = await Promise.allSettled([invitations.take(token), invitations.take(token)])
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('after a week it is worth nothing, and makes room for others', async () => {
  const { invitations, clock } = await create()
  const token = await invitations.create()
  for (let count = 1; count < INVITATIONS_MAX; count++) await invitations.create()
  await assert.rejects(invitations.create(), { code: 'ENOSPC' })
  clock.at += INVITATION_MS
  await assert.rejects(invitations.take(token), { code: 'EACCES' })
  await invitations.create()
})

test('a change that cannot be saved is none', async () => {
  const store = createMemoryReplicationStore()
  let fails = true
  const record = await KeptRecord.open({
    load: () => store.load(),
    save: async next => {
      if (fails) throw new Error('full')
      await store.save(next)
    }
  })
  const pledged = (bytes: number) =>
    record.change(before => ({ ...before, pledge: { ...before.pledge, bytes } }))
  await assert.rejects(pledged(1), /full/)
  assert.equal(record.now.pledge.bytes, 0)
  fails = false
  await Promise.all([pledged(2), pledged(3)])
  assert.equal((await store.load()).pledge.bytes, 3)
})

test.run()
