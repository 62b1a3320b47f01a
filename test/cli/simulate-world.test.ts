import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { nextDriver } from '../../src/cli/simulate/change.ts'
import type { Failure } from '../../src/cli/simulate/failures.ts'
import { driverVersion, imagesFor } from '../../src/cli/simulate/images.ts'
import { printSummary } from '../../src/cli/simulate/summary.ts'
import type { Row } from '../../src/cli/simulate/table.ts'
import { createWorld } from '../../src/cli/simulate/world.ts'
import type { KernelObject } from '../../src/model/cluster/files.ts'

const moduleOf = (name: string, image: string, modprobe: object = { moduleName: name }, extra: object = {}): Module => ({
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: {},
    moduleLoader: { container: { modprobe, kernelMappings: [{ regexp: '.', containerImage: image }] } },
    ...extra,
  },
})

const objectsIn = (files: Readonly<Record<string, object>>) =>
  Object.entries(files).flatMap(([path, entry]) =>
    'kind' in entry && entry.kind === 'ko' ? [{ path, object: entry as KernelObject }] : [],
  )

describe('the images of a simulation', () => {
  it('hold the driver of each kernel, signed, where modprobe looks for it', () => {
    const images = imagesFor(
      [moduleOf('a', 'r.example/org/a:${KERNEL_FULL_VERSION}', { moduleName: 'a', dirName: '/opt', parameters: ['p=1'] })],
      ['5.1.0', '5.2.0'],
    )
    assert.deepEqual(
      images.map(({ image }) => image),
      ['r.example/org/a:5.1.0', 'r.example/org/a:5.2.0'],
    )
    for (const [index, kernel] of ['5.1.0', '5.2.0'].entries()) {
      const files = images[index]?.content.files ?? {}
      const [found] = objectsIn(files)
      assert.match(found?.path ?? '', new RegExp(`^/opt/lib/modules/${kernel}/.*a\\.ko$`))
      assert.deepEqual(
        { ...found?.object },
        { kind: 'ko', name: 'a', kernel, version: kernel, signer: 'simulated-secure-boot-key', params: ['p'] },
      )
      assert.ok(files[`/opt/lib/modules/${kernel}/modules.dep`])
    }
  })

  it('hold the drivers of all Modules and kernels that share an image', () => {
    const [image, ...more] = imagesFor(
      [moduleOf('a', 'r.example/org/all:1'), moduleOf('b', 'r.example/org/all:1')],
      ['5.1.0', '5.2.0'],
    )
    assert.deepEqual(more, [])
    assert.deepEqual(
      objectsIn(image?.content.files ?? {})
        .map(({ object }) => `${object.name} ${object.kernel}`)
        .toSorted(),
      ['a 5.1.0', 'a 5.2.0', 'b 5.1.0', 'b 5.2.0'],
    )
    const list = image?.content.files['/opt/lib/modules/5.1.0/modules.dep']
    assert.match(list?.kind === 'text' ? list.text : '', /a\.ko:[^]*b\.ko:/)
  })

  it('hold the modules of a loading order, firmware, and what raw arguments name', () => {
    const names = (modprobe: object) =>
      objectsIn(imagesFor([moduleOf('a', 'r.example/org/a:1', modprobe)], ['5.1.0'])[0]?.content.files ?? {}).map(
        ({ object }) => object.name,
      )
    assert.deepEqual(names({ moduleName: 'a', modulesLoadingOrder: ['a', 'b'] }), ['a', 'b'])
    assert.deepEqual(names({ rawArgs: { load: ['-d', '/opt', 'x', 'y=1'], unload: ['-r', 'x'] } }), ['x'])
    const [image] = imagesFor([moduleOf('a', 'r.example/org/a:1', { moduleName: 'a', firmwarePath: '/firmware' })], ['5.1.0'])
    assert.ok(image?.content.files['/firmware/a.bin'])
  })

  it('hold a device plugin that runs', () => {
    const plugin = (command?: string[]) =>
      imagesFor(
        [
          moduleOf(
            'a',
            'r.example/org/a:1',
            { moduleName: 'a' },
            { devicePlugin: { container: { image: 'r.example/org/plugin:1', ...(command === undefined ? {} : { command }) } } },
          ),
        ],
        ['5.1.0'],
      )[1]?.content
    assert.ok(plugin()?.command)
    assert.ok(plugin(['/usr/bin/my-plugin'])?.files['/usr/bin/my-plugin'])
    assert.deepEqual(plugin(['/bin/sh', '-c', 'sleep infinity'])?.files['/usr/bin/sh'], { kind: 'binary', program: 'sh' })
  })

  const versions: readonly (readonly [image: string, version: string | undefined, expected: string])[] = [
    ['r.example/org/a:1.0-5.1.0', undefined, '1.0'],
    ['r.example/org/a:5.1.0', undefined, '5.1.0'],
    ['r.example/org/a', undefined, 'latest'],
    ['r.example/org/a:x', '7', '7'],
  ]
  for (const [image, version, expected] of versions) {
    it(`show version ${expected} for ${image}`, () => {
      assert.equal(driverVersion({ image, kernel: '5.1.0', ...(version === undefined ? {} : { version }) }), expected)
    })
  }
})

describe('what goes wrong on purpose', () => {
  const kernels = ['5.1.0', '5.2.0']
  const worldWith = (...failures: readonly Failure[]) =>
    createWorld([moduleOf('a', 'r.example/org/a:${KERNEL_FULL_VERSION}')], { count: 2, kernels, failures, isPushed: () => true })
  const stateOf = (world: ReturnType<typeof worldWith>, kernel: string) => {
    const image = world.images.find(one => one.image.endsWith(kernel))
    if (image === undefined) return 'missing'
    const [found] = objectsIn(image.content.files)
    return `${found?.object.kernel === kernel ? 'right' : 'wrong'} kernel, ${found?.object.signer === undefined ? 'unsigned' : 'signed'}`
  }
  const table: readonly (readonly [failures: readonly Failure[], states: readonly string[]])[] = [
    [[], ['right kernel, signed', 'right kernel, signed']],
    [['missing-image'], ['right kernel, signed', 'missing']],
    [['wrong-kernel'], ['right kernel, signed', 'wrong kernel, signed']],
    [
      ['unsigned', 'missing-image'],
      ['missing', 'right kernel, unsigned'],
    ],
    [['in-use'], ['right kernel, signed', 'right kernel, signed']],
  ]
  for (const [failures, states] of table) {
    it(`strikes one kernel each, the last first: ${failures.join(' and ') || 'nothing'}`, () => {
      const world = worldWith(...failures)
      assert.deepEqual(
        kernels.map(kernel => stateOf(world, kernel)),
        states,
      )
      assert.equal(world.flaws.length, failures.filter(failure => failure !== 'in-use').length)
    })
  }

  it('strikes a kernel that the Module has a mapping for', () => {
    const module = moduleOf('a', 'r.example/org/a:1')
    const mapped = {
      ...module.spec.moduleLoader.container,
      kernelMappings: [{ literal: '5.1.0', containerImage: 'r.example/org/a:1' }],
    }
    const spec = { ...module.spec, moduleLoader: { container: mapped } }
    const world = createWorld([{ ...module, spec } as Module], {
      count: 2,
      kernels,
      failures: ['unsigned'],
      isPushed: () => true,
    })
    assert.match(world.flaws[0] ?? '', /for kernel 5\.1\.0 hold modules without a signature/)
  })

  it('includes what the registry is said not to have', () => {
    const world = createWorld([moduleOf('a', 'r.example/org/a:1')], { count: 1, kernels, failures: [], isPushed: () => false })
    assert.deepEqual(world.images, [])
  })
})

describe('the next driver of a Module', () => {
  const images: readonly (readonly [image: string, next: string])[] = [
    ['r.example/org/a:1.0-${KERNEL_FULL_VERSION}', 'r.example/org/a:1.0-${KERNEL_FULL_VERSION}-next'],
    ['r.example:5000/org/a', 'r.example:5000/org/a:next'],
    [`r.example/org/a@sha256:${'0'.repeat(64)}`, 'r.example/org/a:next'],
  ]
  for (const [image, next] of images) {
    it(`lies in ${next}`, () => {
      assert.equal(nextDriver(moduleOf('a', image)).spec.moduleLoader.container.kernelMappings[0]?.containerImage, next)
    })
  }
})

describe('the summary of a simulation', () => {
  const row = (node: string, more: Partial<Row>): Row => ({
    node,
    module: 'default/a',
    kernel: 'k',
    driver: '-',
    state: 'failed',
    reason: 'KeyRejected',
    message: 'no\nkey',
    todo: `Do it on ${node}.`,
    ...more,
  })

  it('counts, and says for each reason where and what to do', () => {
    const text = printSummary([row('n1', { state: 'loaded', reason: '', message: '' }), row('n2', {}), row('n3', {})])
    assert.match(
      text,
      /^1 of 3 drivers are loaded and up to date:\n {2}default\/a on n2, n3: KeyRejected: no key\n {4}Do it on n2\.\n {4}Do it on n3\.\n$/,
    )
  })

  it('is one sentence when all is well, or when there is nothing', () => {
    assert.equal(printSummary([row('n1', { state: 'loaded' })]), '1 of 1 drivers are loaded and up to date.\n')
    assert.equal(printSummary([]), 'No Module selects a node.\n')
  })
})
