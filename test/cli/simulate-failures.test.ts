// `kmm simulate --fail`: each failure really happens, and is told with the operator's own reason and what to do about it.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Failure, failures } from '../../src/cli/simulate/failures.ts'
import { type ProblemCode, problemTexts } from '../../src/core/problem-texts.ts'
import { changesIn, driver, el9, fc37, simulate } from './simulated.ts'

const onTwoKernels = ['--nodes', '2', '--kernels', `${fc37},${el9}`] as const
const plugin = { devicePlugin: { container: { image: 'r.example/org/plugin:1' } } }
const summaryOf = (out: string) => out.slice(out.lastIndexOf('\n\n'))

describe('a failure of one kernel', () => {
  const table: readonly (readonly [failure: Failure, state: string, todo: RegExp])[] = [
    ['missing-image', 'failed', /Push the image/],
    ['missing-module', 'failed', /depmod/],
    ['no-depmod', 'failed', /depmod/],
    ['wrong-kernel', 'failed', /headers of this very kernel/],
    ['unsigned', 'failed', /Sign the module/],
    ['missing-symbol', 'failed', /depends on/],
    ['missing-firmware', 'failed', /firmwarePath/],
    ['no-modprobe', 'failed', /Install kmod/],
    ['no-shell', 'failed', /\/bin\/sh/],
    ['firmware-path', 'failed', /give the setting firmwareClassPath the same value/],
    ['in-tree-twin', 'failed', /inTreeModuleToRemove/],
    ['no-mount', 'failed', /as a directory/],
    ['full-node', 'failed', /Free the resource/],
    ['tainted-node', 'excluded', /Add the toleration/],
    [
      'no-version-label',
      'waiting',
      /kubectl label --overwrite node node-2 kmm\.node\.kubernetes\.io\/version-module\.default\.a=7\./,
    ],
  ]
  const module = driver('a', { version: '7', modprobe: { moduleName: 'a', firmwarePath: '/firmware' } })

  it('is in the table', () => {
    const ofKernel = Object.entries(failures).filter(([, { of }]) => of === 'images' || of === 'nodes')
    assert.deepEqual(table.map(([failure]) => failure).sort(), ofKernel.map(([failure]) => failure).sort())
  })

  for (const [failure, state, todo] of table) {
    it(`${failure} leaves the other kernel alone, and tells its reason and what to do`, async () => {
      const { out, lines } = await simulate(module, ...onTwoKernels, '--fail', failure)
      const { shows } = failures[failure]
      assert.match(lines[0] ?? '', new RegExp(`^On purpose: the (images for|nodes with) kernel ${el9} .+\\.$`))
      assert.ok(changesIn(lines).includes('node-1 7 loaded'), out)
      assert.ok(changesIn(lines).includes(`node-2 - ${state} ${shows}`), out)
      assert.match(summaryOf(out), /1 of 2 drivers are loaded and up to date:/)
      assert.match(summaryOf(out), new RegExp(`default/a on node-2: ${shows}: `))
      assert.match(summaryOf(out), todo)
    })
  }

  it('full-node says it in the words of the scheduler', async () => {
    const { out } = await simulate(module, ...onTwoKernels, '--fail', 'full-node')
    assert.match(out, /PodUnschedulable: .* node node-2: 0\/2 nodes are available: 1 Too many pods, 1 node\(s\) didn't satisfy/)
  })

  it('no-version-label gives a Module without a version one, and says so', async () => {
    const { out } = await simulate(driver('a'), ...onTwoKernels, '--fail', 'no-version-label')
    assert.match(out, /^On purpose: Module default\/a has no version, so here it is given version 1\.\n/)
    assert.match(
      summaryOf(out),
      /1 of 2 .*\n.*node-2: WaitingForVersionLabel: .*version-module\.default\.a=1 \(now: no such label\)/,
    )
  })

  it('no-version-label also strikes nodes of the input, and the others ask for the version that is given', async () => {
    const node = (name: string, kernel: string) =>
      `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {nodeInfo: {kernelVersion: ${kernel}}}\n---\n`
    const input = driver('a') + node('here', fc37) + node('there', el9)
    const { out } = await simulate(input, '--fail', 'no-version-label')
    assert.match(summaryOf(out), /1 of 2 .*\n.*default\/a on there: WaitingForVersionLabel/)
  })
})

describe('pods that the cluster refuses', () => {
  const refusal = async (failure: Failure, spec: object = {}) => {
    const { out } = await simulate(driver('a', {}, spec), '--nodes', '2', '--kernels', fc37, '--fail', failure)
    return { out, summary: summaryOf(out) }
  }

  it('pod-security: tells whom, and the commands that allow them', async () => {
    const { out, summary } = await refusal('pod-security')
    assert.match(out, /PodsRefused: .*violates PodSecurity "baseline:latest": non-default capabilities/)
    assert.match(summary, /kubectl label --overwrite namespace default pod-security\.kubernetes\.io\/enforce=privileged/)
  })

  it('scc: tells the namespace, the service account, what restricted-v2 forbids, and the command of OKD', async () => {
    const { out, summary } = await refusal('scc')
    assert.match(out, /^On purpose: as on OKD, .* restricted-v2\.\n/)
    assert.match(
      summary,
      /0 of 2 .*:\n {2}default\/a on node-1, node-2: PodsRefused: .* namespace default \(service account default\)/,
    )
    const words =
      /Error creating: pods "a-[-a-z0-9]+-" is forbidden: unable to validate against any security context constraint: \[provider "anyuid": Forbidden: not usable by user or serviceaccount, spec\.volumes\[0\]: .* provider restricted-v2: \.containers\[0\]\.capabilities\.add: Invalid value: "SYS_MODULE": capability may not be added, .*provider "privileged": Forbidden: not usable by user or serviceaccount\]/
    assert.match(summary, words)
    assert.match(summary, /oc adm policy add-scc-to-user privileged -z default -n default/)
  })

  it('quota: tells how much of what is used, and the command that raises it; what there is room for is loaded', async () => {
    const { summary } = await refusal('quota')
    assert.match(summary, /1 of 2 drivers are loaded and up to date:\n {2}default\/a on node-\d: PodsRefused: /)
    assert.match(summary, /is forbidden: exceeded quota: simulated, requested: pods=1, used: pods=1, limited: pods=1\n/)
    assert.match(summary, /kubectl -n default describe quota/)
  })

  it('a quota of the input is heeded without --fail', async () => {
    const quota =
      'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: mine, namespace: default}\nspec: {hard: {pods: 0}}\n---\n'
    const { out } = await simulate(quota + driver('a'), '--nodes', '1', '--kernels', fc37)
    assert.match(summaryOf(out), /PodsRefused: .*exceeded quota: mine, requested: pods=1, used: pods=0, limited: pods=0/)
  })
})

describe('what goes wrong when all is loaded', () => {
  it('silent-node: the state of a node that is not heard of any more is kept, and it is said', async () => {
    const { out, lines } = await simulate(driver('a'), '--nodes', '2', '--kernels', fc37, '--fail', 'silent-node')
    assert.ok(
      changesIn(lines).some(change => /^node-2 1\.0 \S+ NodeNotReady$/.test(change)),
      out,
    )
  })

  it('in-use: a driver that is in use stays, it is said, and nothing newer is started there', async () => {
    const { out, lines } = await simulate(driver('a'), '--nodes', '2', '--kernels', fc37, '--fail', 'in-use')
    const changes = changesIn(lines)
    assert.ok(changes.includes('node-1 1.0 still loaded StillLoaded'), out)
    assert.deepEqual(
      changes.filter(change => change.startsWith('node-1 1.0-next')),
      [],
    )
    assert.match(out, /modprobe: FATAL: Module a is in use\./)
    assert.match(out, /run `kmm release node-1 default\/a`/)
  })

  for (const command of [undefined, ['my-plugin', '-v'], ['/bin/sh', '-c', 'exec my-plugin']]) {
    it(`plugin-stays: the driver waits for ${command?.join(' ') ?? 'the program of the image'}, until it is killed`, async () => {
      const container = { ...plugin.devicePlugin.container, ...(command === undefined ? {} : { command }) }
      const module = driver('a', { version: '7' }, { devicePlugin: { container } })
      const { out, lines } = await simulate(module, '--nodes', '1', '--kernels', fc37, '--fail', 'plugin-stays')
      const changes = changesIn(lines)
      const waits = changes.indexOf('node-1 7 outdated WaitingForPluginToStop')
      assert.ok(waits > changes.indexOf('node-1 7 loaded') && changes.indexOf('node-1 7 unloading') > waits, out)
      const [since = 0, until = 0] = ['WaitingForPluginToStop', 'WaitingForOldDriver'].map(reason => {
        const [, minutes = '0', seconds] = /^ *(?:(\d+)m)?(\d+)s/.exec(lines.find(line => line.endsWith(reason)) ?? '') ?? []
        return Number(minutes) * 60 + Number(seconds)
      })
      // The grace period of a pod that does not name one.
      assert.ok(until - since >= 30 && until - since <= 34, out)
      assert.match(out, /\n1 of 1 drivers are loaded and up to date\.\n$/)
      assert.equal(changes.at(-1), 'node-1 7-next loaded')
    })
  }

  it('plugin-stays: says that there is no device plugin, where there is none', async () => {
    const { out } = await simulate(driver('a'), '--nodes', '1', '--kernels', fc37, '--fail', 'plugin-stays')
    assert.match(out, /\nNo Module has a device plugin, so none can stay\.\n/)
  })
})

describe('each problem of the catalogue', () => {
  /** Not by --fail, but by what the simulation is given. */
  const byInput: Readonly<Partial<Record<ProblemCode, readonly [input: string, ...argv: readonly string[]]>>> = {
    NoKernelMapping: [
      driver('a', { kernelMappings: [{ literal: fc37, containerImage: 'r.example/org/a:1' }] }),
      '--kernels',
      `${fc37},${el9}`,
    ],
    KernelsAlike: [driver('a'), '--kernels', `${fc37},${fc37}+`],
    ModuleNameTaken: [driver('a') + driver('b', { modprobe: { moduleName: 'a' } }), '--kernels', fc37],
    Paused: [driver('a').replace('name: a\n', 'name: a\n  annotations: {kmm.sigs.x-k8s.io/paused: "true"}\n'), '--kernels', fc37],
    ImageMissing: [
      driver('a', {
        kernelMappings: [{ regexp: '.', containerImage: 'r.example/org/a:1', build: { dockerfileConfigMap: { name: 'd' } } }],
      }),
      '--assume-images',
      'missing',
    ],
    Loading: [driver('a'), '--kernels', fc37],
    WaitingForOldDriver: [driver('a', { version: '7' }, plugin), '--kernels', fc37, '--fail', 'plugin-stays'],
  }
  /** Why no simulation shows them; their words are tested in the folders of scenarios and of core. */
  const notHere: Readonly<Partial<Record<ProblemCode, string>>> = {
    RuleViolated: 'a Module that breaks a rule is refused before the simulation begins',
    MappingInvalid: 'so is one with a mapping that cannot be evaluated',
    OldDaemonSetPresent: 'needs a Module that was deleted and made again',
    TwinDaemonSet: 'needs two DaemonSets from before this operator',
    KernelMappingLost: 'needs a mapping that is taken away; nothing fails then',
    ImageUnknown: 'the simulated registry always answers',
    PodNotStarted: 'needs a container runtime that fails',
    UnknownSymbolOrFirmware: 'needs a node that closes its kernel log; missing-symbol and missing-firmware show the causes',
    NotPermitted: 'needs a kernel in lockdown',
    LoadFailed: 'is for words of modprobe that nobody has foreseen',
    Unloading: 'the column STATE says it',
    Outdated: 'the column STATE says it',
    DevicePluginFailing: 'needs a device plugin that fails; its images and programs are not what is simulated',
    DevicePluginRefused: 'needs a cluster that lets the loader in, but not the device plugin',
    BeingDeleted: 'needs a Module that is deleted in the foreground',
    DriverOnUnselectedNode: 'needs a selector that is changed together with the version',
    WaitingForOtherModule: 'needs a node that moves from one Module to another',
    RolloutStopped: 'is told of the Module, and here are the nodes',
  }
  const byFailure = new Map<ProblemCode, Failure>(
    (Object.keys(failures) as Failure[]).toReversed().map(failure => [failures[failure].shows, failure] as const),
  )

  it('is shown by --fail, or by the input, or is not shown for a reason: exactly one of them', () => {
    const placed = [...byFailure.keys(), ...Object.keys(byInput), ...Object.keys(notHere)]
    assert.deepEqual(placed.sort(), Object.keys(problemTexts).sort())
  })

  for (const [code, [input, ...argv] = ['']] of Object.entries(byInput)) {
    it(`${code} is shown by the input`, async () => {
      const { out } = await simulate(input, '--nodes', '2', ...argv)
      assert.match(out, new RegExp(`\\b${code}\\b`))
    })
  }

  for (const [code, failure] of byFailure) {
    it(`${code} is shown by --fail ${failure}`, async () => {
      const module = driver('a', { version: '7', modprobe: { moduleName: 'a', firmwarePath: '/firmware' } }, plugin)
      const { out } = await simulate(module, ...onTwoKernels, '--fail', failure)
      assert.match(out, new RegExp(`  (failed|excluded|waiting|unknown|still loaded|outdated|loaded) +${code}\\b`))
    })
  }

  it('that is not shown here is tested elsewhere', () => {
    const root = join(import.meta.dirname, '..')
    const texts = ['scenarios', 'core', 'cli', 'faults']
      .flatMap(folder => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
      .filter(entry => entry.isFile() && entry.name !== 'simulate-failures.test.ts')
      .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    const untested = Object.keys(notHere).filter(code => !texts.some(text => new RegExp(`\\b${code}\\b`).test(text)))
    assert.deepEqual(untested, [])
  })
})
