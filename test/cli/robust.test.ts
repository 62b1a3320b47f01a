import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { runKmm } from './run-kmm.ts'

const exampleUrl = new URL('../../examples/demo/module.yaml', import.meta.url)
const kernel = '6.0.15-300.fc37.x86_64'
const labels = { 'kmm.node.kubernetes.io/module.name': 'my-kmod', 'kmm.node.kubernetes.io/kernel-version.full': kernel }
const time = '2024-05-01T12:00:00Z'

const world: readonly object[] = [
  parseYamlDocuments(readFileSync(exampleUrl, 'utf8'), 'module.yaml')[0]?.value as object,
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'n1',
      labels: { 'node-role.kubernetes.io/worker': '', 'kmm.node.kubernetes.io/version-module.default.my-kmod': '1' },
    },
    spec: { taints: [{ key: 'a', effect: 'NoSchedule', value: 'b' }] },
    status: {
      nodeInfo: { kernelVersion: kernel, bootID: 'b' },
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'd',
      namespace: 'default',
      labels,
      ownerReferences: [{ apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', name: 'my-kmod', uid: 'u', controller: true }],
    },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations: {} }, spec: { containers: [{ name: 'm', image: 'x' }] } },
    },
    status: { numberReady: 1, desiredNumberScheduled: 1, observedGeneration: 1 },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'default',
      labels,
      deletionTimestamp: time,
      finalizers: ['kmm.node.kubernetes.io/node-labeler'],
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'v', controller: true }],
    },
    spec: { nodeName: 'n1', containers: [{ name: 'module-loader', image: 'x' }] },
    status: {
      phase: 'Failed',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: time }],
      containerStatuses: [
        {
          name: 'module-loader',
          ready: false,
          restartCount: 1,
          state: { terminated: { exitCode: 137, message: 'kmm unload failed b', finishedAt: time } },
          lastState: {},
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'default' },
    type: 'Warning',
    reason: 'FailedPreStopHook',
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p', uid: 'w' },
    lastTimestamp: time,
  },
]

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key])),
  ]
}

function withValue(whole: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (Array.isArray(whole)) return whole.map((item: unknown, index) => (index === step ? withValue(item, rest, value) : item))
  return { ...(whole as object), [step]: withValue((whole as Record<string | number, unknown>)[step], rest, value) }
}

const places = pathsOf(world).filter(path => path.length > 0)

describe('kmm with any one field of its input replaced by anything', () => {
  for (const command of ['plan', 'validate']) {
    it(`${command}: answers, or says in one sentence with line and field what is wrong`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...places),
          fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({}, [], '', null, 'x'.repeat(300))),
          async (path, value) => {
            const items = withValue(world, path, value)
            const { code, err } = await runKmm(
              [command, '-f', '-', '-o', 'json'],
              JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
            )
            assert.ok(code === 0 || (code === 1 && command === 'validate') || code === 2, err)
            if (code === 2) assert.match(err, /^(kmm: warning: .*\n)*kmm: stdin(:\d+)?: [^\n]+\n$/)
          },
        ),
        { numRuns: 400 },
      )
    })
  }
})
