import { suite } from 'uvu'
import assert from 'node:assert/strict'
import { expect } from './expect.ts'

const test = suite('expect')

test('passes what holds', async () => {
  expect([1]).to.deep.equal([1])
  expect([1]).to.have.lengthOf(1)
  expect({ name: 'alice' }).to.have.property('name', 'alice').that.include('lic')
  await expect(Promise.resolve(1)).to.eventually.equal(1)
  await expect(Promise.reject(new Error('no'))).to.eventually.be.rejected.with.property('message')
})

test('fails what does not', async () => {
  assert.throws(() => expect([1]).to.deep.equal([2]))
  assert.throws(() => expect([1]).to.have.lengthOf(2))
  assert.throws(() => expect({}).to.have.property('name'))
  assert.throws(() => expect({ name: 'bob' }).to.have.property('name', 'alice'))
  assert.throws(() => expect(undefined).to.be.ok())
  assert.throws(() => expect(false).to.be.true())
  assert.throws(() => expect(true).to.be.false())
  await assert.rejects(async () => expect(Promise.resolve(1)).to.eventually.equal(2))
  await assert.rejects(async () => expect(Promise.resolve(1)).to.eventually.be.rejected)
  await assert.rejects(async () => {
    const expectation = expect(Promise.reject(new Error('no'))).to.eventually.be.rejected
    await expectation.with.property('message').that.include('yes')
  })
})

test.run()
