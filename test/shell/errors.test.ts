import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { within } from '../../src/shell/deadline.ts'
import { ApiError, expectSuccess, isExpired, isOutage, parseRetryAfter } from '../../src/shell/kube/errors.ts'
import { collectionPath, objectPath } from '../../src/shell/kube/paths.ts'
import { pass } from './turns.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

describe('An error of the API server', () => {
  it('says what was tried and what the server said', () => {
    const response = {
      status: 422,
      headers: {},
      body: { kind: 'Status', code: 422, reason: 'Invalid', message: 'spec.selector: Required value' },
    }
    assert.throws(() => expectSuccess('apply DaemonSet ns/a', response, nowMs), {
      message: 'apply DaemonSet ns/a: the API server answered 422 Invalid: spec.selector: Required value',
      status: 422,
      reason: 'Invalid',
    })
  })

  for (const body of [undefined, null, 7, [], '<html>bad gateway</html>', { reason: 7 }]) {
    it(`is readable although the body is ${JSON.stringify(body)}`, () => {
      assert.throws(
        () => expectSuccess('list nodes', { status: 502, headers: {}, body }, nowMs),
        /^ApiError: list nodes: the API server answered 502/,
      )
    })
  }

  it('tells an outage from a refusal, and what is too old from both', () => {
    const error = (status: number, reason = '') => new ApiError('x', status, { reason })
    assert.deepEqual(
      [429, 500, 503, 504].map(status => isOutage(error(status))),
      [true, true, true, true],
    )
    assert.deepEqual(
      [400, 403, 404, 409, 422].map(status => isOutage(error(status))),
      [false, false, false, false, false],
    )
    assert.ok(isOutage(new Error('socket hang up')))
    assert.ok(isExpired(error(410)) && isExpired(error(500, 'Expired')) && !isExpired(error(500)))
  })
})

describe('Retry-After', () => {
  const table: readonly (readonly [string | undefined, number | undefined])[] = [
    ['1', 1_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['86400', 300_000],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ]
  for (const [header, ms] of table) it(`"${header}" is ${ms} ms`, () => assert.equal(parseRetryAfter(header, nowMs), ms))
})

describe('Paths', () => {
  const nodes = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false }
  const daemonSets = { apiVersion: 'apps/v1', kind: 'DaemonSet', plural: 'daemonsets', namespaced: true }
  it('are those of the API server', () => {
    assert.equal(collectionPath(nodes), '/api/v1/nodes')
    assert.equal(collectionPath(daemonSets), '/apis/apps/v1/daemonsets')
    assert.equal(collectionPath(daemonSets, 'ns'), '/apis/apps/v1/namespaces/ns/daemonsets')
    assert.equal(objectPath(nodes, 'n1'), '/api/v1/nodes/n1')
    assert.equal(objectPath(daemonSets, 'ns/d', 'status'), '/apis/apps/v1/namespaces/ns/daemonsets/d/status')
  })
})

describe('A deadline', () => {
  it('ends work that does not notice', async () => {
    const clock = createVirtualClock(0)
    const work = within('ask', 5_000, clock, new AbortController().signal, () => new Promise(() => {}))
    const ended = assert.rejects(work, /ask: no answer after 5 s/)
    await pass(clock, 5_000)
    await ended
  })

  it('leaves nothing behind when the work is done', async () => {
    const clock = createVirtualClock(0)
    assert.equal(await within('ask', 5_000, clock, new AbortController().signal, () => Promise.resolve(7)), 7)
    assert.equal(clock.pending(), 0)
  })

  it('ends with the stop signal', async () => {
    const clock = createVirtualClock(0)
    const stopping = new AbortController()
    const work = within('ask', 5_000, clock, stopping.signal, () => new Promise(() => {}))
    stopping.abort(new Error('stop'))
    await assert.rejects(work, /stop/)
    await assert.rejects(
      within('ask', 1, clock, stopping.signal, () => Promise.resolve(7)),
      /stop/,
    )
  })
})
