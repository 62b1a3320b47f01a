// A model API server with toys, and operators that come and go.
import { builtInResources, createApiServer, type Fault, type ModelApi } from '../../src/model/api-server.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { type Clock, sleep } from '../../src/shell/clock.ts'
import type { KubeRequest, Transport, WatchEvent } from '../../src/shell/kube/transport.ts'
import { createOperator, type Operator, type OperatorOptions } from '../../src/shell/loop/operator.ts'
import type { Observation } from '../../src/shell/observe.ts'
import { configMaps, story, type Toy, toyController, toys, toyWatches } from './toys.ts'
import { pass } from './turns.ts'

const toyResource = { ...toys, status: 'subresource', generation: 'counted' } as const

export type ToyWorld = ReturnType<typeof createToyWorld>

/** An empty cluster. `fault` is asked for every request; `through` stands between the operators and the API server. */
export function createToyWorld(
  options: { fault?: (request: KubeRequest, isWrite: boolean) => Fault; operator?: Partial<OperatorOptions> } = {},
) {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const written: string[] = []
  const logs: string[] = []
  const observed: Observation[] = []
  let fault = options.fault ?? (() => 'pass')
  const api: ModelApi = createApiServer({
    clock,
    resources: [...builtInResources, toyResource],
    fault: (request, isWrite) => fault(request, isWrite),
    audit: ({ verb, resource, subresource, name, changed }) => {
      if (['create', 'update', 'patch', 'delete'].includes(verb) && resource !== 'events') {
        written.push(
          `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${name}${changed ? '' : ' (kept)'}`,
        )
      }
    },
  })

  function startOperator(through: (transport: Transport) => Transport = transport => transport): Operator {
    const operator = createOperator({
      controllers: [toyController],
      watches: toyWatches,
      transport: through(api.transport),
      clock,
      chance: () => 0.5,
      log: (level, message) => logs.push(`${level} ${message}`),
      images: { ask: () => Promise.resolve({}) },
      settings: { operatorNamespace: 'toys', managed: false },
      fieldManager: 'toy-operator',
      observe: observation => observed.push(observation),
      ...options.operator,
    })
    operator.start()
    return operator
  }

  const setSpec = (name: string, spec: Toy['spec']) => api.update(toys, `default/${name}`, object => ({ ...object, spec }) as Toy)
  const parts = () => api.list(configMaps).filter(part => part.metadata.labels?.['toy'] !== undefined)
  return {
    clock,
    api,
    written,
    logs,
    observed,
    startOperator,
    setSpec,
    parts,
    partNames: () =>
      parts()
        .map(part => part.metadata.name)
        .sort(),
    status: (name: string) => (api.get(toys, `default/${name}`) as Toy | undefined)?.status,
    story: () => [story(api.list(toys)), story(parts())],
    pass: (ms: number) => pass(clock, ms),
    setFault: (next: typeof fault) => {
      fault = next
    },
  }
}

/** The transport with the watch events of these paths changed: delayed, dropped, or replaced by an error. */
export function withEvents(
  change: (events: AsyncIterable<WatchEvent>) => AsyncIterable<WatchEvent>,
  of: (path: string) => boolean = () => true,
): (transport: Transport) => Transport {
  return transport => async (request, stop) => {
    const response = await transport(request, stop)
    return response.stream === undefined || !of(request.path) ? response : { ...response, stream: change(response.stream) }
  }
}

/** Each event of these paths comes `lateMs` after it was sent. */
export function late(clock: Clock, lateMs: number, of?: (path: string) => boolean): (transport: Transport) => Transport {
  return withEvents(async function* (stream) {
    const waiting: { readonly event: WatchEvent; readonly dueMs: number }[] = []
    let end: { readonly error?: unknown } | undefined
    let wake = () => {}
    const pump = async () => {
      for await (const event of stream) {
        waiting.push({ event, dueMs: clock.monotonicMs() + lateMs })
        wake()
      }
    }
    pump().then(
      () => {
        end = {}
        wake()
      },
      (error: unknown) => {
        end = { error }
        wake()
      },
    )
    for (;;) {
      const next = waiting.shift()
      if (next !== undefined) {
        await sleep(clock, Math.max(0, next.dueMs - clock.monotonicMs()), new AbortController().signal)
        yield next.event
      } else if (end === undefined) await new Promise<void>(resolve => (wake = resolve))
      else if ('error' in end) throw end.error
      else return
    }
  }, of)
}
