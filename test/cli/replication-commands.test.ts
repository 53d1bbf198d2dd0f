/** The verbs that look after copies, against a replication that says what it is told to say. */
import { suite } from 'uvu'
import assert from 'node:assert/strict'
import type { CheckProblem, FolderStatus } from '../../src/index.ts'
import { Interruption } from '../../src/cli/interruption.ts'
import { runHere } from './command-line.ts'
import {
  ALICE,
  BOB,
  HOLDER,
  OWNER,
  REPORT,
  STATUS,
  VOLUME,
  failing,
  fakeHome,
  folder
} from './fake-replication.ts'
import type { FakeHome } from './fake-replication.ts'

const DAY_MS = 86_400_000

const test = suite('replication commands')

test('replicas sets, takes back and shows', async () => {
  for (const [line, expected] of [
    ['replicas', []],
    ['replicas /photos', []],
    ['replicas 3', [['set', '/', { replicas: 3 }]]],
    ['replicas /photos all', [['set', '/photos', { replicas: 'all' }]]],
    ['replicas /photos 3 --minimum 2', [['set', '/photos', { replicas: 3, minimum: 2 }]]],
    ['replicas --unset /photos', [['unset', '/photos']]],
    ['replicas --unset', [['unset', '/']]]
  ] as const) {
    const fake = fakeHome()
    const stdout = await print(line, fake)
    const path = line.includes('/photos') ? '/photos' : '/'
    assert.deepEqual(fake.calls, [...expected, ['policy', path]], line)
    assert.equal(stdout, `${path}  3 copies, 2 at least${path === '/' ? '' : ', as /'}\n`)
  }
  assert.deepEqual(JSON.parse(await print('replicas / --json', fakeHome())), {
    path: '/',
    replicas: 3,
    minimum: 2,
    on: [],
    from: '/'
  })
  const on = async () => ({ replicas: 'all', minimum: 1, on: [BOB], from: '/' }) as const
  assert.equal(
    await print('replicas', fakeHome({ policy: on })),
    `/  a copy at every holder, 1 at least, always at ${BOB}\n`
  )
})

test('pledge sets and shows', async () => {
  const fake = fakeHome()
  const stdout = await print(
    `pledge 1.5TiB --zone attic --to ${ALICE} --to /ip4/1.2.3.4/p2p/${BOB}`,
    fake
  )
  const pledged = { bytes: 1.5 * 1024 ** 4, zone: 'attic', to: [ALICE, BOB] }
  assert.deepEqual(fake.calls, [['pledge', pledged], ['pledged'], ['held']])
  assert.match(
    stdout,
    /^pledged  46\.6 GiB, 2\.0 KiB used\nzone     bobs house\nto       12D3KooWA/
  )
  assert.match(
    stdout,
    new RegExp(`^${VOLUME} +${ALICE} +behind, leaving +2\\.0 KiB +46\\.6 GiB +7$`, 'm')
  )
  const [shown] = lines(await print('pledge --json', fakeHome()))
  assert.equal(shown!.usedBytes, 2_048)
  assert.equal((shown!.held as { volume: string }[])[0]!.volume, VOLUME)
  const dropped = fakeHome()
  await print('pledge 0', dropped)
  assert.deepEqual(dropped.calls[0], ['pledge', { bytes: 0 }])
})

test('invite and accept pass on what they are given', async () => {
  const inviting = fakeHome()
  assert.equal(await print(`invite ${BOB}`, inviting), 'warren-invitation\n')
  assert.deepEqual(inviting.calls, [['invite', BOB, { timeoutMs: 30_000 }]])
  assert.deepEqual(lines(await print('invite --json', inviting)), [
    { invitation: 'warren-invitation' }
  ])

  const accepting = fakeHome()
  assert.equal(
    await print('accept warren-invitation --bytes 1GB --zone attic --timeout 2', accepting),
    `${VOLUME}  46.6 GiB\n`
  )
  const wanted = { timeoutMs: 2_000, bytes: 1e9, zone: 'attic' }
  assert.deepEqual(
    accepting.calls.filter(([verb]) => verb === 'accept' || verb === 'pledge'),
    [['accept', 'warren-invitation', wanted]]
  )
  const first = fakeHome({ pledged: () => ({ bytes: 0, to: [], zone: '', usedBytes: 0 }) })
  await print('accept warren-invitation --bytes 1GB', first)
  assert.deepEqual(first.calls[1], ['pledge', { bytes: 1e9 }])
})

test('leave, replicate and remove-holder wait for a day, or as long as they are told', async () => {
  for (const [line, expected] of [
    ['leave', ['leave', { drain: true, timeoutMs: DAY_MS }]],
    [`leave ${VOLUME} --no-drain`, ['leave', { drain: false, timeoutMs: DAY_MS, volume: VOLUME }]],
    [`remove-holder ${BOB} --wait 5`, ['remove', BOB, { drain: true, timeoutMs: 5_000 }]],
    [`remove-holder ${BOB} --no-drain`, ['remove', BOB, { drain: false, timeoutMs: DAY_MS }]],
    [`replicate /a --on ${BOB}`, ['replicate', '/a', { on: BOB, timeoutMs: DAY_MS }]]
  ] as const) {
    const fake = fakeHome()
    assert.equal(await print(line, fake), '')
    assert.deepEqual(fake.calls, [expected], line)
    assert.equal(lines(await print(`${line} --json`, fake)).length, 1)
  }
})

test('status draws where copies are missing', async () => {
  const fake = fakeHome()
  const shown = (await print('status /', fake)).split('\n')
  assert.deepEqual(fake.calls, [['status', '/', { timeoutMs: 30_000 }], ['held']])
  const rest = shown.slice(1)
  assert.equal(shown[0], `version 17 of ${VOLUME}`)
  assert.deepEqual(rest.slice(1, 4), [
    'path      copies  how many there are      files    bytes     at 0  at 1  at 2     at 3',
    '/          3 (2)  [33333333333333333330]      2  8.6 MiB  1.0 KiB     -     -  8.6 MiB  endangered',
    '/letters   3 (2)  [33333333333333333333]      1  4.3 MiB        -     -     -  4.3 MiB'
  ])
  assert.match(shown[6]!, /^holder +zone +is +has +used +pledged +missing$/)
  assert.match(shown[7]!, /\(owner\) +- +present +its part +2\.9 KiB +- +-$/)
  assert.match(
    shown[8]!,
    / bobs house +absent, leaving, not believed: .* not all yet +2\.0 KiB +46\.6 GiB +7 blocks$/
  )
  assert.equal(shown[10], '7 blocks to copy, 7.0 MiB; whole in about 1:30')
  assert.equal(shown[11], 'lost: //lost')
  assert.equal(shown[13], 'holds 1 volume of others, 2.0 KiB: warren pledge')
  assert.deepEqual(lines(await print('status --json', fake)), [STATUS])
})

test('status has no more columns than fit', async () => {
  const copies = (path: string, count: number): FolderStatus =>
    folder(path, [...Array.from({ length: count }, () => 0), 1_024])
  const folders = [copies('/few', 2), copies('/some', 4), copies('/many', 12)]
  const shown = await print('status', fakeHome({ status: async () => ({ ...STATUS, folders }) }))
  assert.match(shown, /bytes +at 0 +at 1 +at 2 +at 3 +at 4\+$/m)
  assert.match(shown, /^\/few +3 \(2\) +\[2{20}\] +1 +1\.0 KiB +- +- +1\.0 KiB +- +-$/m)
  assert.match(shown, /^\/many +3 \(2\) +\[\+{20}\] +1 +1\.0 KiB +- +- +- +- +1\.0 KiB$/m)
})

test('status --watch shows it again until it is interrupted', async () => {
  const interrupted = new AbortController()
  let times = 0
  const fake = fakeHome({
    status: async () => {
      if (++times === 2) interrupted.abort(new Interruption('SIGINT'))
      return STATUS
    }
  })
  const { code, stdout } = await runHere(['status', '--watch', '--json'], {
    home: fake.home,
    signal: interrupted.signal
  })
  assert.equal(code, 0)
  assert.equal(lines(stdout).length, 2)
})

test('holders lists them', async () => {
  assert.deepEqual(lines(await print('holders --json', fakeHome())), [OWNER, HOLDER])
  assert.match(
    await print('holders', fakeHome({ holders: () => [] })),
    /nobody else .* warren invite/
  )
})

test('check tells what it found, and fails while problems remain', async () => {
  const well = fakeHome()
  assert.equal(await print('check', well), '2,000 files, 1 directory, 1.0 KiB: no problems\n')
  assert.deepEqual(well.calls, [['check', { repair: false, blocks: true }]])
  const damaged: CheckProblem = { kind: 'block-damaged', path: '/a\u001b[2J', repaired: false }
  const orphan: CheckProblem = {
    kind: 'inode-orphan',
    inode: 7 as unknown as NonNullable<CheckProblem['inode']>,
    detail: 'no name',
    repaired: true
  }
  const problems = [damaged, orphan]
  const bad = { ...REPORT, complete: false, problems, found: 5, repaired: 1 }
  const { home, calls } = fakeHome({}, bad)
  const { code, stdout } = await runHere(['check', '--repair', '--quick'], { home })
  assert.deepEqual([code, calls], [1, [['check', { repair: true, blocks: false }]]])
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    '/a\\u{1b}[2J: block-damaged',
    'inode 7: inode-orphan: no name (repaired)',
    'and 3 more problems',
    'nodes are missing: what is behind them could not be checked',
    '2,000 files, 1 directory, 1.0 KiB: 5 problems, 1 repaired'
  ])
  const mended = { ...REPORT, problems: [orphan], found: 1, repaired: 1 }
  assert.match(await print('check', fakeHome({}, mended)), /: 1 problem, all repaired\n$/)
  const [told] = lines(await print('check --json', fakeHome({}, mended)))
  assert.deepEqual([told!.found, told!.remaining, told!.root], [1, 0, REPORT.root])
})

test('what fails is told with what was tried', async () => {
  for (const [line, answers, code, expected] of [
    ['replicas /a 2', { set: failing('EROFS') }, 1, /\/a: /],
    ['accept nonsense', { accept: failing('EINVAL') }, 2, /./],
    ['accept warren-invitation', { accept: failing('EDQUOT') }, 1, /accepting: .*warren pledge/],
    ['leave --wait 1', { leave: failing('ETIMEDOUT') }, 3, /leaving: .*not over yet/],
    ['status', { status: failing('ETIMEDOUT') }, 3, /\/: /]
  ] as const) {
    const { home } = fakeHome(answers)
    const result = await runHere(line.split(' '), { home })
    assert.equal(result.code, code, line)
    assert.match(result.stderr, expected, line)
  }
})

test('a wrong command line is refused before anything is done', async () => {
  for (const [line, expected] of [
    ['replicas /a 0', /replicas 0: not a number from 1/],
    ['replicas /a 1.5', /not a number/],
    ['replicas photos 3', /photos: a path begins with \//],
    ['replicas /a --minimum 2', /--minimum: say how many/],
    ['replicas /a 2 --minimum 3', /--minimum 3: more than 2/],
    ['replicas /a 2 --unset', /--unset/],
    ['pledge 50G', /pledge 50G: 'G' is none of/],
    ['pledge --zone a', /go with a size/],
    ['pledge 1GB --to bob', /--to bob: not the id of a peer/],
    ['accept a b', /too much/],
    ['accept warren-invitation --bytes lots', /--bytes lots: not a size/],
    ['invite bob', /invite bob: not the id/],
    ['leave photos', /photos: not the id of a volume/],
    ['leave --wait 0', /--wait 0/],
    ['replicate /a', /needs --on/],
    ['replicate /a --on bob', /--on bob: not the id/],
    ['remove-holder bob', /remove-holder bob: not the id/],
    ['share /tmp', /share is not for a peer that runs already/]
  ] as const) {
    const fake = fakeHome()
    const { code, stdout, stderr } = await runHere(line.split(' '), { home: fake.home })
    assert.deepEqual([code, stdout], [2, ''], line)
    assert.match(stderr, expected, line)
    assert.deepEqual(fake.calls, [], line)
  }
})

async function print(line: string, { home }: FakeHome): Promise<string> {
  const { code, stdout, stderr } = await runHere(line.split(' '), { home })
  assert.equal(code, 0, `${line}: ${stderr}`)
  return stdout
}

function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

test.run()
