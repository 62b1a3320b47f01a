// Asks /healthz once a second, as a kubelet with a short period would; a second without an answer is a miss. In a thread of its own: the
// bench reads hundreds of megabytes of audit log meanwhile, and what it misses itself is no fault of the operator.
import { setTimeout as delay } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

export type HealthWatch = {
  follow(address: string): void
  pause(): void
  stop(): Promise<void>
  readonly asked: number
  readonly missed: number
  readonly slowestMs: number
}

type Counts = { asked: number; missed: number; slowestMs: number }

/** Begins to ask when it is told whom to follow. Keeps the process alive until it is stopped. */
export function watchHealth(): HealthWatch {
  const counts: Counts = { asked: 0, missed: 0, slowestMs: 0 }
  const worker = new Worker(new URL(import.meta.url))
  worker.on('message', (found: Counts) => void Object.assign(counts, found))
  return Object.assign(counts, {
    follow: (address: string) => worker.postMessage(address),
    pause: () => worker.postMessage(undefined),
    stop: async () => void (await worker.terminate()),
  })
}

async function askForEver(port: NonNullable<typeof parentPort>): Promise<void> {
  const counts: Counts = { asked: 0, missed: 0, slowestMs: 0 }
  let address: string | undefined
  port.on('message', (followed: string | undefined) => {
    address = followed
  })
  for (;;) {
    await delay(1000)
    const asked = address
    if (asked === undefined) continue
    const startedMs = performance.now()
    const isGood = await fetch(`http://${asked}/healthz`, { signal: AbortSignal.timeout(1000) }).then(
      async response => (await response.text()) !== '' && response.status === 200,
      () => false,
    )
    // Told meanwhile that the operator ends.
    if (address !== asked) continue
    counts.asked += 1
    if (!isGood) counts.missed += 1
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - startedMs)
    port.postMessage(counts)
  }
}

if (!isMainThread && parentPort !== null) void askForEver(parentPort)
