import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { main } from '../../src/cli/program.ts'
import { printYaml } from '../../src/shell/yaml.ts'
import { filesOf, runKmm } from './run-kmm.ts'

const fc37 = '6.0.15-300.fc37.x86_64'
const el9 = '5.14.0-284.25.1.el9_2.x86_64'

const driver = (name: string, container: object = {}, spec: object = {}) =>
  `${printYaml({
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name },
    spec: {
      selector: {},
      moduleLoader: {
        container: {
          modprobe: { moduleName: name },
          kernelMappings: [{ regexp: '.', containerImage: `r.example/org/${name}:1.0-\${KERNEL_FULL_VERSION}` }],
          ...container,
        },
      },
      ...spec,
    },
  })}---\n`

async function simulate(
  stdin: string,
  ...argv: readonly string[]
): Promise<{ readonly lines: readonly string[]; readonly out: string }> {
  const { code, out, err } = await runKmm(['simulate', ...(stdin === '' ? [] : ['-f', '-']), ...argv], stdin)
  assert.equal(code, 0, err)
  assert.equal(err, '')
  return { out, lines: out.split('\n') }
}

/** `node driver state reason` of each line about a change, in order. */
const changesIn = (lines: readonly string[]) =>
  lines.flatMap(line => {
    const [, node, , , version, rest] = /^ +[0-9ms]+ {2}(\S+) +(\S+) +(\S+) +(\S+) +(.*)$/.exec(line) ?? []
    return node === undefined ? [] : [`${node} ${version} ${(rest ?? '').split(':')[0]?.replace(/ +/g, ' ')}`]
  })

describe('kmm simulate', () => {
  it('loads the driver of the example on three nodes and says so', async () => {
    const { out, lines } = await simulate('')
    assert.match(out, /\n\n3 of 3 drivers are loaded and up to date\.\n$/)
    for (const node of ['node-1', 'node-2', 'node-3']) assert.ok(changesIn(lines).includes(`${node} 1.0 loaded`))
  })

  const failures: readonly (readonly [failure: string, reason: string, todo: RegExp])[] = [
    ['missing-image', 'ImageNotPulled', /Push the image/],
    ['missing-module', 'ModuleNotFound', /depmod/],
    ['no-depmod', 'ModuleNotFound', /depmod/],
    ['in-tree-twin', 'InTreeTwinLoaded', /inTreeModuleToRemove/],
    ['no-mount', 'PodNotMounted', /as a directory/],
    ['wrong-kernel', 'WrongFormat', /headers of this very kernel/],
    ['unsigned', 'KeyRejected', /Sign the module/],
    ['missing-symbol', 'UnknownSymbol', /depends on/],
    ['missing-firmware', 'FirmwareMissing', /firmwarePath/],
    ['no-modprobe', 'NoModprobeInImage', /Install kmod/],
    ['no-shell', 'NoShellInImage', /\/bin\/sh/],
  ]
  for (const [failure, reason, todo] of failures) {
    it(`lets ${failure} really happen on one kernel, and tells its reason and what to do`, async () => {
      const { out, lines } = await simulate(driver('a'), '--nodes', '2', '--kernels', `${fc37},${el9}`, '--fail', failure)
      assert.match(lines[0] ?? '', new RegExp(`^On purpose: the images for kernel ${el9} .+\\.$`))
      assert.ok(changesIn(lines).includes('node-1 1.0 loaded'), out)
      assert.ok(changesIn(lines).includes(`node-2 - failed ${reason}`), out)
      const summary = out.slice(out.lastIndexOf('\n\n'))
      assert.match(summary, /1 of 2 drivers are loaded and up to date:/)
      assert.match(summary, new RegExp(`default/a on node-2: ${reason}: `))
      assert.match(summary, todo)
    })
  }

  it('tells that a node looks for firmware elsewhere', async () => {
    const module = driver('a', { modprobe: { moduleName: 'a', firmwarePath: '/firmware' } })
    const { out, lines } = await simulate(module, '--nodes', '2', '--kernels', `${fc37},${el9}`, '--fail', 'firmware-path')
    assert.ok(changesIn(lines).includes('node-1 1.0 loaded'), out)
    assert.ok(changesIn(lines).includes('node-2 - failed FirmwarePathDiffers'), out)
  })

  it('tells whom the cluster refuses its pods, and the commands that allow them', async () => {
    const { out } = await simulate(driver('a'), '--nodes', '1', '--kernels', fc37, '--fail', 'pod-security')
    assert.match(out, /PodsRefused: .*violates PodSecurity "baseline:latest": non-default capabilities/)
    assert.match(out, /kubectl label --overwrite namespace default pod-security\.kubernetes\.io\/enforce=privileged/)
  })

  it('keeps the state of a node that is not heard of any more, and says so', async () => {
    const { out, lines } = await simulate(driver('a'), '--nodes', '2', '--kernels', fc37, '--fail', 'silent-node')
    assert.ok(
      changesIn(lines).some(change => /^node-2 1\.0 \S+ NodeNotReady$/.test(change)),
      out,
    )
  })

  it('keeps a driver that is in use, says so, and starts nothing newer there', async () => {
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

  it('tells what is hardly meant, and refuses what breaks a rule, with its line', async () => {
    const file = driver('a', { modprobe: { moduleName: 'a.ko' } })
    const { code, err } = await runKmm(['simulate', '-f', '-', '--nodes', '1', '--kernels', fc37], file)
    assert.equal(code, 0)
    assert.match(
      err,
      /^kmm: warning: stdin:\d+: Module default\/a: spec\.moduleLoader\.container\.modprobe\.moduleName: .*leave out the ending/,
    )
    const broken = await runKmm(
      ['simulate', '-f', '-'],
      driver('a', { kernelMappings: [{ regexp: '(', containerImage: 'a/b:1' }] }),
    )
    assert.equal(broken.code, 2)
    assert.match(broken.err, /^kmm: stdin:\d+: Module default\/a: spec\S+\.regexp: regexp "\(" is no regular expression/)
  })

  it('brings several Modules onto the nodes that each selects', async () => {
    const { out } = await simulate(
      driver('a', {}, { selector: { gpu: 'x' } }) + driver('b', {}, { selector: { gpu: 'y' } }),
      '--nodes',
      '4',
      '--kernels',
      fc37,
    )
    assert.match(out, /\n4 of 4 drivers are loaded and up to date\.\n$/)
    assert.doesNotMatch(out, /node-1 .*default\/b/)
  })

  it('serves Modules with a version, with a device plugin, and with what has to be built', async () => {
    const built = {
      kernelMappings: [{ regexp: '.', containerImage: 'r.example/org/c:1', build: { dockerfileConfigMap: { name: 'd' } } }],
    }
    const plugin = { devicePlugin: { container: { image: 'r.example/org/plugin:1' } } }
    const { out } = await simulate(
      driver('a', { version: '7' }) + driver('b', {}, plugin) + driver('c', built),
      '--nodes',
      '1',
      '--kernels',
      fc37,
    )
    assert.match(out, /\n3 of 3 drivers are loaded and up to date\.\n$/)
    assert.match(out, /node-1 .*default\/a +7 +loaded/)
  })

  it('takes the nodes of the input, and leaves those alone that nobody tolerates', async () => {
    const node = (name: string, spec: string) =>
      `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n${spec}status: {nodeInfo: {kernelVersion: ${fc37}}}\n---\n`
    const { out } = await simulate(
      driver('a') + node('here', '') + node('tainted', 'spec: {taints: [{key: gpu, effect: NoSchedule}]}\n'),
    )
    assert.match(out, /here .* loaded\n/)
    assert.match(out, /default\/a on tainted: NodeTainted: node tainted has the taint gpu:NoSchedule/)
  })

  it('asks the images of --images and --assume-images', async t => {
    const directory = filesOf(t, { 'images.yaml': `r.example/org/a:1.0-${fc37}: {exists: true}\n` })
    const argv = [
      '--nodes',
      '2',
      '--kernels',
      `${fc37},${el9}`,
      '--assume-images',
      'missing',
      '--images',
      `${directory}/images.yaml`,
    ]
    const { lines } = await simulate(driver('a'), ...argv)
    assert.ok(changesIn(lines).includes('node-1 1.0 loaded'))
    assert.ok(changesIn(lines).includes('node-2 - failed ImageNotPulled'))
  })

  it('is the same simulation each time', async () => {
    const [first, second] = [await simulate(driver('a')), await simulate(driver('a'))]
    assert.equal(first.out, second.out)
  })

  const refused: readonly (readonly [what: string, stdin: string, argv: readonly string[], sentence: RegExp])[] = [
    [
      'an unknown failure',
      driver('a'),
      ['--fail', 'rain'],
      /^kmm: --fail rain is unknown: choose from missing-image, .*, in-use\n$/,
    ],
    [
      'an input without Module',
      'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n',
      [],
      /^kmm: stdin: there is no Module in the input\n$/,
    ],
    [
      'a Module that breaks a rule',
      driver('a', { kernelMappings: [{ regexp: '(', containerImage: 'r.example/org/a:1' }] }),
      [],
      /^kmm: stdin:\d+: Module default\/a: spec\.moduleLoader\.container\.kernelMappings\[0\]\.regexp/,
    ],
    ['--demo with files', driver('a'), ['--demo'], /^kmm: --demo tells its own example: leave out -f\n$/],
  ]
  for (const [what, stdin, argv, sentence] of refused) {
    it(`refuses ${what}`, async () => {
      const { code, out, err } = await runKmm(['simulate', '-f', '-', ...argv], stdin)
      assert.deepEqual({ code, out }, { code: 2, out: '' })
      assert.match(err, sentence)
    })
  }

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const out: string[] = []
    const write = (text: string) => {
      out.push(text)
      if (text.includes('waiting')) stop.abort()
    }
    const code = await main(['simulate'], {
      readStdin: () => Promise.resolve(''),
      out: write,
      err: write,
      terminal: undefined,
      stop: stop.signal,
    })
    assert.equal(code, 0)
    assert.doesNotMatch(out.join(''), / loaded\n/)
  })
})

describe('the demo', () => {
  it('shows a driver on two kernels, a failure with its reason, a change from node to node, and an ordered upgrade', async () => {
    const { out, lines } = await simulate('', '--demo')
    const changes = changesIn(lines)
    for (const node of ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']) {
      assert.ok(changes.includes(`${node} 1.0 loaded`), out)
      assert.ok(changes.includes(`${node} 1.1 loaded`), out)
    }
    assert.ok(changes.includes('node-5 - failed ImageNotPulled'))
    assert.match(out, /5 of 5 drivers are loaded and up to date\./)
    // What is shown is the judgement of the moment, not the status of ten seconds ago.
    assert.deepEqual(
      changes.filter(change => change.endsWith(' - outdated')),
      [],
    )
    // Never two nodes without a driver at once while the change is rolled out.
    const without = new Set<string>()
    const ordered = changes.indexOf('node-1 1.1 outdated WaitingForVersionLabel')
    for (const change of changes.slice(changes.indexOf('node-1 1.0 outdated'), ordered)) {
      const [node = '', , state] = change.split(' ')
      if (state === 'loaded' || state === 'outdated') without.delete(node)
      else without.add(node)
      assert.ok(without.size <= 1, [...without].join(', '))
    }
    // The first node that got the label has the new version before any other is touched.
    const [first, second] = ['node-1 2.0 loaded', 'node-2 1.1 unloading'].map(change => changes.lastIndexOf(change))
    assert.ok(ordered > 0 && first !== undefined && second !== undefined && ordered < first && first < second, out)
    for (const node of ['node-1', 'node-5'])
      assert.equal(
        changes.findLast(change => change.startsWith(node)),
        `${node} 2.0 loaded`,
      )
  })
})
