// The operator dies before, and after, each write of each story, and starts again: the end is the same, and nothing that must never happen
// happens. Likewise with a view of the cluster that lags, and with watches that break.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Node } from '../../src/core/cluster.ts'
import { daemonSets, modules, nodes, pods } from '../../src/core/resources.ts'
import type { Clock } from '../../src/shell/clock.ts'
import type { KubeRequest, KubeResponse, Transport, WatchEvent } from '../../src/shell/kube/transport.ts'
import { wrongAtRest } from './settled.ts'
import { type ScriptedStory, stories } from './stories.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

const restMs = 30 * 60_000

/** What must be the same however the story went: names without random parts, conditions without times. */
function endOf({ cluster }: World): unknown {
  const { api } = cluster
  return {
    nodes: (api.list(nodes) as readonly Node[]).map(node => ({
      name: node.metadata.name,
      labels: node.metadata.labels,
      kernel: [...cluster.node(node.metadata.name).kernel.loaded.values()].map(({ name, image }) => `${name} ${image ?? ''}`),
    })),
    daemonSets: api
      .list(daemonSets)
      .map(object =>
        Object.keys(object.metadata.labels ?? {})
          .sort()
          .join(' '),
      )
      .sort(),
    pods: api
      .list(pods)
      .map(
        pod =>
          `${pod.metadata.labels?.['kmm.node.kubernetes.io/module.name'] ?? ''} ${pod.metadata.deletionTimestamp === undefined ? 'stays' : 'held'}`,
      )
      .sort(),
    modules: api.list(modules).map(module => {
      const { status } = module as {
        status?: { conditions?: { type: string; status: string; reason: string }[]; moduleLoader?: object; kernels?: object }
      }
      return {
        conditions: status?.conditions?.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`),
        loader: status?.moduleLoader,
        kernels: nameless(status?.kernels),
      }
    }),
  }
}

/** Pods have names that nobody chose. */
const nameless = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null).replaceAll(/\(pod [^)]*\)/g, '(pod)'))

type Outcome = { readonly end: unknown; readonly wrong: readonly string[]; readonly writes: number; readonly asked: number }

async function tell(
  story: ScriptedStory,
  options: WorldOptions = {},
  crashAt?: { write: number; when: 'fail-before' | 'fail-after' },
): Promise<Outcome> {
  let asked = 0
  let crash: Promise<void> | undefined
  let armed = false
  const world = startWorld({
    ...options,
    fault: (_, request) => {
      if (!armed) return 'pass'
      asked++
      if (asked !== crashAt?.write) return options.fault?.(asked, request) ?? 'pass'
      // After the process is gone nothing of it goes on: the next write is another process's.
      crash = Promise.resolve().then(() => world.restartOperator())
      return crashAt.when
    },
  })
  world.never.allowUnload('gpu_mod')
  story.prepare(world)
  await world.run(5 * 60_000)
  armed = true
  story.change(world)
  await world.run(restMs)
  await crash
  await world.run(60_000)
  const before = world.writes()
  await world.run(10 * 60_000)
  const late = world.writes() - before
  const wrong = [...world.never.violations, ...wrongAtRest(world), ...(late > 0 ? [`${late} writes at rest`] : [])]
  const end = endOf(world)
  await world.end()
  return { end, wrong, writes: world.writes(), asked }
}

/** Each event of some kinds comes late: planners see a past that never was one moment. */
const lagging =
  (lagMs: (resource: string) => number) =>
  (transport: Transport, { clock }: { readonly clock: Clock }): Transport =>
  async (request, stop) => {
    const response = await transport(request, stop)
    const lag = lagMs(request.path.split('/').at(-1) ?? '')
    return response.stream === undefined || lag === 0 ? response : { ...response, stream: late(response.stream, lag, clock) }
  }

/** In order, each so much after it was sent. */
async function* late(stream: AsyncIterable<WatchEvent>, lagMs: number, clock: Clock): AsyncIterable<WatchEvent> {
  const waiting: Promise<WatchEvent | undefined>[] = []
  let more = () => {}
  const feed = (async () => {
    for await (const event of stream) {
      waiting.push(new Promise(resolve => clock.after(lagMs, () => resolve(event))))
      more()
    }
  })().finally(() => {
    waiting.push(Promise.resolve(undefined))
    more()
  })
  for (;;) {
    const next = waiting.shift()
    if (next === undefined) {
      await new Promise<void>(resolve => (more = resolve))
      continue
    }
    const event = await next
    if (event === undefined) return feed
    yield event
  }
}

/** Every watch breaks after a few events, which are lost; then the list has to tell. */
const breaking =
  (events: number) =>
  (transport: Transport): Transport =>
  async (request: KubeRequest, stop): Promise<KubeResponse> => {
    const response = await transport(request, stop)
    return response.stream === undefined ? response : { ...response, stream: broken(response.stream, events) }
  }

async function* broken(stream: AsyncIterable<WatchEvent>, events: number): AsyncIterable<WatchEvent> {
  let left = events
  for await (const event of stream) {
    if (left-- <= 0) throw new Error('the connection was cut')
    yield event
  }
}

for (const story of stories) {
  describe(`while ${story.says}`, async () => {
    const plain = await tell(story)

    it('comes to rest by itself', () => assert.deepEqual(plain.wrong, []))

    it(`a crash before or after each of the ${plain.asked} writes leads to the same end`, async () => {
      for (let write = 1; write <= plain.asked; write++) {
        for (const when of ['fail-before', 'fail-after'] as const) {
          const { end, wrong } = await tell(story, {}, { write, when })
          assert.deepEqual(wrong, [], `${when} write ${write}`)
          assert.deepEqual(end, plain.end, `${when} write ${write}`)
        }
      }
    })

    if (story.depends !== undefined) return

    it('a view that lags for one kind, or for all, leads to the same end', async () => {
      for (const kind of ['nodes', 'pods', 'daemonsets', 'modules', 'all']) {
        const { end, wrong } = await tell(story, {
          transport: lagging(resource => (kind === 'all' || resource === kind ? 3000 : 0)),
        })
        assert.deepEqual(wrong, [], kind)
        assert.deepEqual(end, plain.end, kind)
      }
    })

    it('watches that break after every third event lead to the same end', async () => {
      const { end, wrong } = await tell(story, { transport: breaking(3) })
      assert.deepEqual(wrong, [])
      assert.deepEqual(end, plain.end)
    })
  })
}
