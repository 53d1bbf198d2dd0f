import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { PeerId } from '../../src/peer/index.ts'
import { createNodePeer } from '../../src/peer/node-peer.ts'
import { COUNT, ECHO, collect, echo, once, within } from '../contracts/peer-contract.ts'
import { spawnPeer } from '../fixtures/child-process.ts'

/** Peers that share nothing but the network. */
const test = suite('peers in processes of their own')

const CHILD = new URL('peer-process.ts', import.meta.url)

test('call each other', async () => {
  await using alice = await spawnPeer(CHILD)
  await using bob = await spawnPeer(CHILD)
  const [address] = await bob.call<string[]>('addresses')
  const id = await alice.call<PeerId>('dial', address)
  assert.equal(id, await bob.call('id'))
  assert.equal(await alice.call('echo', id, 'to bob'), 'to bob')
  const aliceId = await alice.call<PeerId>('id')
  assert.deepEqual(await bob.call('connected'), [aliceId])
  assert.equal(await bob.call('echo', aliceId, 'to alice'), 'to alice')
})

test('notice that one of them was killed', async () => {
  const alice = await createNodePeer({ listen: [], discovery: false })
  await alice.start()
  try {
    await using bob = await spawnPeer(CHILD)
    const [address] = await bob.call<string[]>('addresses')
    const id = await alice.dial(address!)
    const disconnected = once(alice, 'disconnect')
    const interrupted = async (): Promise<void> => {
      for await (const { body } of alice.call(id, COUNT, { body: 100_000 })) {
        if (body === 20) void bob.kill()
      }
    }
    await assert.rejects(within(interrupted()), { code: 'ECONNRESET' })
    assert.equal(await within(disconnected), id)
    await assert.rejects(within(collect(alice, id, { body: 1 })), { code: 'EHOSTUNREACH' })
  } finally {
    await alice.stop()
  }
})

test('time out, and go on, when one of them is frozen for a while', async () => {
  const alice = await createNodePeer({ listen: ['/ip4/127.0.0.1/tcp/0'], discovery: false })
  alice.serve(ECHO, echo)
  await alice.start()
  try {
    await using bob = await spawnPeer(CHILD)
    const [address] = await bob.call<string[]>('addresses')
    const id = await alice.dial(address!)
    assert.equal((await collect(alice, id, { body: 1 })).length, 1)
    await bob.kill('SIGSTOP')
    const silent = collect(alice, id, { body: 1 }, ECHO, { silenceMs: 200 })
    await assert.rejects(within(silent), { code: 'ETIMEDOUT' })
    await bob.kill('SIGCONT')
    assert.equal((await within(collect(alice, id, { body: 1 }))).length, 1)
  } finally {
    await alice.stop()
  }
})

test('end by themselves when their peers have stopped', async () => {
  const script = new URL('stopping-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [...process.execArgv, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000
  })
  let output = ''
  child.stdout.on('data', chunk => (output += chunk))
  const code = await new Promise(resolve => child.once('close', resolve))
  assert.equal(code, 0)
  assert.equal(output, 'ECONNRESET\n')
})

test.run()
