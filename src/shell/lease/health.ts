// What the election says to the kubelet's probes.
import type { Health } from '../loop/health.ts'

export type Phase = 'standing' | 'leading' | 'lost' | 'stopped'

export type ElectionState = {
  readonly phase: Phase
  /** `namespace/name` of the Lease. */
  readonly key: string
  readonly leaseMs: number
  /** Monotonic clock; minus infinity for what never was. */
  readonly begunMs: number
  readonly answeredMs: number
  readonly claimSentMs: number
}

/**
 * A replica that waits is ready as long as the API server answers it: a Deployment waits for it before it ends the old leader.
 * A leader whose Lease has run out and that still runs must be ended from outside.
 */
export function electionHealth({ phase, key, leaseMs, begunMs, answeredMs, claimSentMs }: ElectionState, nowMs: number): Health {
  if (phase === 'stopped') return { ready: true, alive: true, reasons: [] }
  if (phase === 'standing') {
    const silentMs = nowMs - Math.max(begunMs, answeredMs)
    if (Number.isFinite(answeredMs) && silentMs < 2 * leaseMs) return { ready: true, alive: true, reasons: [] }
    const text = `the API server has not answered about lease ${key} for ${Math.round(silentMs / 1000)} s`
    return { ready: false, alive: true, reasons: [text] }
  }
  const unrenewedMs = nowMs - claimSentMs
  const alive = unrenewedMs < leaseMs
  if (phase === 'leading' && alive) return { ready: true, alive, reasons: [] }
  const seconds = Math.round(unrenewedMs / 1000)
  const text = alive ? `lease ${key} was lost` : `lease ${key} was not renewed for ${seconds} s, and the process did not end`
  return { ready: false, alive, reasons: [text] }
}

/** Both have their say. */
export const bothHealthy = (one: Health, other: Health): Health => ({
  ready: one.ready && other.ready,
  alive: one.alive && other.alive,
  reasons: [...one.reasons, ...other.reasons],
})
