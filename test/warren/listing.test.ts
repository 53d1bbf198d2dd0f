/** Listings with attributes of what other peers share. */
import assert from 'node:assert/strict'
import { suite } from 'uvu'
import type { Warren } from '../../src/index.ts'
import { startWarren } from './fixtures.ts'

const test = suite('listings of shares')

async function expectAsLstat({ fs }: Warren, path: string): Promise<string[]> {
  const listed = await fs.readdir(path, { withStats: true })
  for (const { name, stats } of listed) assert.deepEqual(stats, await fs.lstat(`${path}/${name}`))
  return listed.map(({ name }) => name)
}

test('a mount, a peer and its shares are listed as they are', async () => {
  await using alice = await startWarren()
  await using bob = await startWarren()
  await alice.fs.mkdir('/shared/below', { recursive: true })
  await alice.fs.writeFile('/shared/file', 'a file')
  const names = Array.from({ length: 2000 }, (_, index) => `name ${index}`).toSorted()
  await Promise.all(names.map(name => alice.fs.writeFile(`/shared/below/${name}`, name)))
  await alice.share('/shared/file', { name: 'one file' })
  await bob.mount('/mounted', await alice.share('/shared'))
  assert.deepEqual(await expectAsLstat(bob, '/'), ['mounted'])
  assert.deepEqual(await expectAsLstat(bob, '/mounted'), ['below', 'file'])
  assert.deepEqual(await expectAsLstat(bob, '/mounted/below'), names)
  assert.ok((await expectAsLstat(bob, '/peers')).includes(alice.id))
  assert.deepEqual((await bob.peers())[0]!.shares.length, 2)
  assert.deepEqual((await expectAsLstat(bob, `/peers/${alice.id}`)).toSorted(), [
    'one file',
    'shared'
  ])
  assert.deepEqual(await expectAsLstat(bob, `/peers/${alice.id}/shared`), ['below', 'file'])
})

test.run()
