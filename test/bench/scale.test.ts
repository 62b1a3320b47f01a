// What the benchmark computes: a figure that is computed wrongly is worse than none.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { leaseKept } from '../../bench/scale/lease.ts'
import { percentile } from '../../bench/scale/observer.ts'
import { fitPower, plotSvg } from '../../bench/scale/plot.ts'
import { processCost } from '../../bench/scale/process-cost.ts'
import { auditTail, countRequests, isRead, isWrite } from '../../bench/scale/requests.ts'
import { type AuditEntry, parseAuditLine } from '../control-plane/audit.ts'

const line = (fields: object): string =>
  JSON.stringify({
    stage: 'ResponseComplete',
    requestURI: '/',
    userAgent: 'kmm/1',
    requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
    responseStatus: { code: 200 },
    ...fields,
  })

describe('the scale benchmark', () => {
  it('finds the exponent of any power law', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (power, factor) => {
          const fit = fitPower([50, 100, 1000].map(x => ({ x, y: factor * x ** power })))
          assert.ok(Math.abs((fit?.exponent ?? 0) - power) < 1e-6)
          assert.ok(Math.abs((fit?.factor ?? 0) / factor - 1) < 1e-6)
        },
      ),
    )
  })

  it('tells how far the exponent may be wrong', () => {
    assert.equal(fitPower([10, 100].map(x => ({ x, y: x })))?.error, undefined)
    assert.ok((fitPower([10, 100, 1000].map(x => ({ x, y: x })))?.error ?? 1) < 1e-9)
    // Logarithms 0, 1, 3 over 0, 1, 2: slope 1.5, residues 1/6, -1/3 and 1/6, hence the root of 1/6 over 2.
    const fit = fitPower([0, 1, 3].map((log, index) => ({ x: Math.E ** index, y: Math.E ** log })))
    assert.ok(Math.abs((fit?.exponent ?? 0) - 1.5) < 1e-9)
    assert.ok(Math.abs((fit?.error ?? 0) - Math.sqrt(1 / 6 / 2)) < 1e-9)
  })

  it('fits nothing to one size, nor to a cost of zero', () => {
    assert.equal(fitPower([{ x: 100, y: 3 }]), undefined)
    assert.equal(
      fitPower([
        { x: 100, y: 3 },
        { x: 100, y: 4 },
      ]),
      undefined,
    )
    assert.equal(
      fitPower([
        { x: 100, y: 3 },
        { x: 200, y: 0 },
      ]),
      undefined,
    )
  })

  it('draws each point and each fitted line, and writes the exponents', () => {
    const points = [
      { x: 100, y: 10 },
      { x: 1000, y: 100 },
    ]
    const svg = plotSvg('a < b', 'nodes', [{ name: 'writes & reads', colour: '#123456', points }])
    assert.equal(svg.match(/<circle /g)?.length, 3)
    assert.equal(svg.match(/<path /g)?.length, 1)
    assert.match(svg, /N to the 1\.00/)
    assert.match(svg, /a &lt; b/)
    assert.match(svg, /writes &amp; reads/)
    assert.doesNotMatch(svg, /NaN|Infinity/)
  })

  it('gives the value below which a share lies', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    assert.deepEqual(
      [percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1), percentile([], 0.5)],
      [50, 99, 100, 0],
    )
  })

  it('counts the requests of one program, read on from where the last look ended', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kmm-bench-test-'))
    try {
      const file = join(folder, 'audit.log')
      const patch = line({ verb: 'patch', objectRef: { resource: 'nodes' } })
      const others = line({ verb: 'patch', objectRef: { resource: 'nodes' }, userAgent: 'kubelet/1' })
      writeFileSync(file, `${patch}\n${others}\n${patch.slice(0, 40)}`)
      const tail = auditTail(file, 'kmm/')
      assert.equal(tail.entries().length, 1, 'a line that is still being written does not count')
      const lease = line({ verb: 'update', objectRef: { resource: 'leases' } })
      const begun = line({ verb: 'watch', stage: 'ResponseStarted', objectRef: { resource: 'pods' } })
      const ended = line({ verb: 'watch', objectRef: { resource: 'pods' } })
      const list = line({ verb: 'list', objectRef: { resource: 'pods' }, responseStatus: { code: 410 } })
      appendFileSync(file, `${patch.slice(40)}\n${lease}\n${begun}\n${ended}\n${list}\n`)
      const entries = tail.entries()
      assert.equal(entries.filter(isWrite).length, 2, 'renewals of the Lease are no writes')
      assert.equal(entries.filter(isRead).length, 2, 'a watch is one read')
      assert.deepEqual(countRequests(entries), { 'list pods (410)': 1, 'patch nodes': 2, 'update leases': 1, 'watch pods': 1 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('tells how far apart the Lease was renewed, but not between two processes', () => {
    const renewed = (seconds: number, more: object = {}) =>
      parseAuditLine(
        line({
          verb: 'update',
          objectRef: { resource: 'leases' },
          requestReceivedTimestamp: new Date(seconds * 1000).toISOString(),
          ...more,
        }),
      ) as AuditEntry
    const refused = renewed(13, { responseStatus: { code: 409 } })
    const entries = [renewed(10), renewed(12), refused, renewed(15.5), renewed(100), renewed(102)]
    assert.deepEqual(leaseKept(entries, [9_000, 99_000]), { renewals: 5, longestSeconds: 3.5 })
    assert.deepEqual(leaseKept(entries, [9_000]), { renewals: 5, longestSeconds: 84.5 })
    assert.deepEqual(leaseKept([], [9_000]), { renewals: 0, longestSeconds: 0 })
  })

  it('sees what this very process has cost', () => {
    const { cpuSeconds, peakMiB, residentMiB } = processCost(process.pid)
    assert.ok(cpuSeconds > 0 && cpuSeconds < 60)
    assert.ok(peakMiB >= residentMiB && residentMiB > 20)
    assert.throws(() => processCost(2 ** 30), /ENOENT/)
  })
})
