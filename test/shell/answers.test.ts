import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Answer, Question } from '../../src/core/plan.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { Answers } from '../../src/shell/loop/answers.ts'
import { pass, settle } from './turns.ts'

const question = (image: string): Question => ({ ask: 'exists', image, namespace: 'ns' })

function setUp(reply: (image: string) => Answer | Error | 'silence') {
  const clock = createVirtualClock(0)
  const stopping = new AbortController()
  const asked: string[] = []
  const woken: string[] = []
  const logs: string[] = []
  const answers = new Answers({
    clock,
    chance: () => 1,
    log: (_level, message) => logs.push(message),
    stop: stopping.signal,
    wake: key => woken.push(key),
    images: {
      ask: ({ image }) => {
        asked.push(image)
        const answer = reply(image)
        if (answer === 'silence') return new Promise(() => {})
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    },
  })
  return { clock, stopping, asked, woken, logs, answers }
}

describe('Questions to the registry', () => {
  it('leave no timer behind when the operator is stopped, so that its process can end', async () => {
    const { answers, clock, stopping, woken } = setUp(() => new Error('no route to host'))
    answers.ask(question('a'), 'k')
    await settle()
    assert.equal(clock.pending(), 1)
    stopping.abort()
    assert.deepEqual([clock.pending(), woken], [0, []])
  })

  it('are asked once, however many keys ask, and wake all of them', async () => {
    const { answers, asked, woken } = setUp(() => ({ exists: true }))
    answers.ask(question('a'), 'k1')
    answers.ask(question('a'), 'k2')
    assert.equal(answers.read(question('a')), undefined)
    await settle()
    assert.deepEqual([asked, woken], [['a'], ['k1', 'k2']])
    assert.deepEqual(answers.read(question('a')), { exists: true })
    answers.ask(question('a'), 'k1')
    await settle()
    assert.deepEqual([asked.length, woken.length], [1, 2], 'a fresh answer is neither asked for nor news')
  })

  it('are asked again when the answer is old; the old one stays until then', async () => {
    let exists = false
    const { answers, asked, woken, clock } = setUp(() => ({ exists }))
    answers.ask(question('a'), 'k')
    await settle()
    await pass(clock, 30_000)
    exists = true
    assert.deepEqual(answers.read(question('a'), 'k'), { exists: false })
    await settle()
    assert.deepEqual(answers.read(question('a')), { exists: true })
    assert.deepEqual([asked.length, woken.length], [2, 2])
    await pass(clock, 600_000)
    answers.read(question('a'), 'k')
    await settle()
    assert.deepEqual([asked.length, woken.length], [3, 2], 'the same answer is no news')
  })

  it('are asked again after a back-off where the registry failed, not before', async () => {
    let fails = 2
    const { answers, asked, woken, clock, logs } = setUp(() => (fails-- > 0 ? new Error('no route to host') : { exists: true }))
    answers.ask(question('a'), 'k')
    await settle()
    answers.ask(question('a'), 'k')
    await settle()
    assert.equal(asked.length, 1)
    assert.match(logs[0] ?? '', /^a: the registry gave no answer: no route to host$/)
    await pass(clock, 2_000)
    assert.deepEqual(woken, ['k'])
    answers.ask(question('a'), 'k')
    await pass(clock, 3_999)
    assert.equal(woken.length, 1, 'the second time it waits longer')
    await pass(clock, 1)
    answers.ask(question('a'), 'k')
    await settle()
    assert.deepEqual(answers.read(question('a')), { exists: true })
  })

  it('end after a minute, even if the registry never answers', async () => {
    const { answers, clock, logs } = setUp(() => 'silence')
    answers.ask(question('a'), 'k')
    await pass(clock, 59_999)
    assert.equal(answers.asking, 1)
    await pass(clock, 1)
    assert.equal(answers.asking, 0)
    assert.match(logs[0] ?? '', /no answer after 60 s/)
  })

  it('are asked at most eight at a time', async () => {
    const { answers, asked } = setUp(() => 'silence')
    for (let number = 0; number < 20; number++) answers.ask(question(`i${number}`), 'k')
    await settle()
    assert.equal(asked.length, 8)
    assert.equal(answers.asking, 20)
  })

  it('are not asked after the stop', async () => {
    const { answers, asked, stopping, woken } = setUp(() => ({ exists: true }))
    answers.ask(question('a'), 'k')
    stopping.abort(new Error('stop'))
    answers.ask(question('b'), 'k')
    await settle()
    assert.deepEqual(asked, ['a'])
    assert.deepEqual(woken, [])
  })
})
