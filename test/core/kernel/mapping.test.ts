import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ResolvedSpec, resolveMapping } from '../../../src/core/kernel/mapping.ts'
import { mergeBuildArgs } from '../../../src/core/kernel/overrides.ts'
import { aCanonicalModule } from '../../builders.ts'
import { frozen } from '../frozen.ts'

const kernel = '6.0.15-300.fc37.x86_64'
const image = 'registry.example.com/driver:1'

const resolve = (container: object, of = kernel) => resolveMapping(frozen(aCanonicalModule({ container })), of)
function resolved(container: object, of = kernel): ResolvedSpec {
  const spec = resolve(container, of)
  assert.ok(!('code' in spec), 'code' in spec ? spec.message : '')
  return spec
}

describe('The mapping of a kernel', () => {
  const selected: readonly [string, readonly object[], string, number | 'NoKernelMapping' | 'MappingInvalid'][] = [
    ['is the literal one', [{ literal: 'other' }, { literal: kernel }], kernel, 1],
    ['is the first in the list, although a later literal is exact', [{ regexp: '.' }, { literal: kernel }], kernel, 0],
    ['is found by a search, not by a match of the whole', [{ regexp: 'fc37' }], kernel, 0],
    ['is none where nothing fits', [{ literal: '6.0.15' }, { regexp: '^fc37' }], kernel, 'NoKernelMapping'],
    ['is none where a mapping says nothing', [{}, { literal: '', regexp: '' }], kernel, 'NoKernelMapping'],
    ['is found by its literal without the final +', [{ literal: '6.1.0' }], '6.1.0+', 0],
    ['is found by its literal with the final +', [{ literal: '6.1.0+' }], '6.1.0+', 0],
    ['is found by a regexp that ends without the final +', [{ regexp: '^6\\.1\\.0$' }], '6.1.0+', 0],
    ['is not found by a literal with a + that the kernel has not', [{ literal: '6.1.0+' }], '6.1.0', 'NoKernelMapping'],
    ['cannot be told behind a regexp that is not valid', [{ regexp: '(' }, { literal: kernel }], kernel, 'MappingInvalid'],
    ['is told before a regexp that is not valid', [{ literal: kernel }, { regexp: '(' }], kernel, 0],
    ['may be chosen by Go syntax', [{ regexp: '(?i)FC37\\.x86_64\\z' }], kernel, 0],
  ]
  for (const [sentence, mappings, of, expected] of selected) {
    it(sentence, () => {
      const spec = resolve({ kernelMappings: mappings.map(mapping => ({ ...mapping, containerImage: image })) }, of)
      assert.equal('code' in spec ? spec.code : spec.mappingIndex, expected)
    })
  }

  it('says which one it is and why', () => {
    const { because } = resolved({ kernelMappings: [{ regexp: '^6\\.', containerImage: image }] })
    assert.equal(because, `kernelMappings[0]: regexp "^6\\." matches kernel ${kernel}`)
  })

  it('that is not valid is a problem that names the place and the error', () => {
    const found = resolve({ kernelMappings: [{ literal: 'x' }, { regexp: 'a(' }] })
    assert.ok('code' in found)
    assert.match(found.message, /kernelMappings\[1\].*missing closing \)/)
    assert.equal(found.kernel, kernel)
  })
})

describe('The image of a kernel', () => {
  const images: readonly [string, string, string][] = [
    ['r.io/d:${KERNEL_FULL_VERSION}', kernel, `r.io/d:${kernel}`],
    ['r.io/$MOD_NAMESPACE/$MOD_NAME:$KERNEL_VERSION', kernel, `r.io/drivers/driver:${kernel}`],
    ['r.io/d:$KERNEL_XYZ-$KERNEL_X-$KERNEL_Y-$KERNEL_Z', kernel, 'r.io/d:6.0.15-6-0-15'],
    ['r.io:5000/d:${KERNEL_FULL_VERSION}', '6.12.117+deb12-cloud-amd64', 'r.io:5000/d:6.12.117_deb12-cloud-amd64'],
    ['r.io:5000/d:$KERNEL_FULL_VERSION', '6.1.0+', 'r.io:5000/d:6.1.0_'],
    [`r.io/d:$KERNEL_X@sha256:${'a'.repeat(64)}`, '6+1', `r.io/d:6_1@sha256:${'a'.repeat(64)}`],
    ['r.io/d:a+b', kernel, 'r.io/d:a+b'],
    ['r.io/d-$KERNEL_X', '6.1', 'r.io/d-6'],
    ['r.io/d:${UNKNOWN:-latest}', kernel, 'r.io/d:latest'],
  ]
  for (const [template, of, expected] of images) {
    it(`${template.slice(0, 60)} is ${expected.slice(0, 60)} for ${of}`, () => {
      assert.equal(resolved({ kernelMappings: [{ regexp: '.', containerImage: template }] }, of).image, expected)
    })
  }

  it("is the container's where the mapping has none or an empty one", () => {
    for (const own of [{}, { containerImage: '' }]) {
      assert.equal(resolved({ containerImage: image, kernelMappings: [{ regexp: '.', ...own }] }).image, image)
    }
  })

  for (const [sentence, container, words] of [
    ['that nobody names', { kernelMappings: [{ regexp: '.' }] }, /kernelMappings\[0\]: neither .* names a containerImage/],
    ['with an open brace', { kernelMappings: [{ regexp: '.', containerImage: 'a:${B' }] }, /containerImage .*no closing brace/],
  ] as const) {
    it(`${sentence} is a problem of the mapping`, () => {
      const found = resolve(container)
      assert.ok('code' in found)
      assert.equal(found.code, 'MappingInvalid')
      assert.match(found.message, words)
    })
  }
})

describe('A mapping on top of its container', () => {
  const both = (container: object, mapping: object) =>
    resolved({ containerImage: image, kernelMappings: [{ regexp: '.', ...mapping }], ...container })
  const cm = (name: string) => ({ dockerfileConfigMap: { name } })

  it('replaces registryTLS as a whole, even with nothing in it', () => {
    const tls = { insecure: true, insecureSkipTLSVerify: true }
    assert.deepEqual(both({ registryTLS: tls }, {}).registryTls, tls)
    assert.deepEqual(both({ registryTLS: tls }, { registryTLS: {} }).registryTls, {})
    assert.deepEqual(both({}, {}).registryTls, {})
  })

  it('replaces the in-tree module to remove unless its own is empty', () => {
    assert.equal(both({ inTreeModuleToRemove: 'a' }, { inTreeModuleToRemove: 'b' }).inTreeModuleToRemove, 'b')
    assert.equal(both({ inTreeModuleToRemove: 'a' }, { inTreeModuleToRemove: '' }).inTreeModuleToRemove, 'a')
    assert.equal(both({}, {}).inTreeModuleToRemove, undefined)
  })

  it('takes a build that only one side has as it is', () => {
    assert.deepEqual(both({ build: cm('c') }, {}).build, cm('c'))
    assert.deepEqual(both({}, { build: cm('m') }).build, cm('m'))
    assert.equal(both({}, {}).build, undefined)
  })

  it('merges two builds: Dockerfile and options of the mapping, arguments by name, secrets of both', () => {
    const container = {
      ...cm('c'),
      buildArgs: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      secrets: [{ name: 's' }],
      selector: { builder: 'c' },
      kanikoParams: { tag: 'c' },
    }
    const mapping = {
      ...cm('m'),
      buildArgs: [
        { name: 'C', value: '3' },
        { name: 'A', value: '4' },
      ],
      secrets: [{ name: 's' }],
      baseImageRegistryTLS: { insecure: true },
      selector: { builder: 'm' },
    }
    assert.deepEqual(both({ build: container }, { build: mapping }).build, {
      ...cm('m'),
      buildArgs: [
        { name: 'A', value: '4' },
        { name: 'B', value: '2' },
        { name: 'C', value: '3' },
      ],
      secrets: [{ name: 's' }, { name: 's' }],
      baseImageRegistryTLS: { insecure: true },
      selector: { builder: 'm' },
      kanikoParams: { tag: 'c' },
    })
  })

  it('merges two signings: image and secrets of the mapping, files of both, with only the kernel substituted', () => {
    const container = {
      keySecret: { name: 'ck' },
      certSecret: { name: 'cc' },
      unsignedImage: 'r.io/unsigned:c',
      filesToSign: ['/opt/lib/modules/$KERNEL_FULL_VERSION/a.ko'],
    }
    const mapping = {
      keySecret: { name: 'mk' },
      certSecret: { name: 'mc' },
      unsignedImage: 'r.io/$MOD_NAME/unsigned:$KERNEL_FULL_VERSION',
      unsignedImageRegistryTLS: { insecure: true },
      filesToSign: ['/opt/b.ko'],
    }
    const of = '6.1.0+'
    const spec = resolved({ containerImage: image, sign: container, kernelMappings: [{ regexp: '.', sign: mapping }] }, of)
    assert.deepEqual(spec.sign, {
      keySecret: { name: 'mk' },
      certSecret: { name: 'mc' },
      unsignedImage: 'r.io//unsigned:6.1.0_',
      unsignedImageRegistryTLS: { insecure: true },
      filesToSign: ['/opt/lib/modules/6.1.0+/a.ko', '/opt/b.ko'],
    })
  })

  it('leaves modprobe, build arguments and secrets as they are written', () => {
    const spec = both(
      { modprobe: { moduleName: '$MOD_NAME', parameters: ['k=$KERNEL_X'] } },
      { build: { ...cm('$MOD_NAME'), buildArgs: [{ name: 'A', value: '$KERNEL_X' }] } },
    )
    assert.deepEqual(spec.modprobe, { moduleName: '$MOD_NAME', parameters: ['k=$KERNEL_X'], dirName: '/opt' })
    assert.deepEqual(spec.build, { ...cm('$MOD_NAME'), buildArgs: [{ name: 'A', value: '$KERNEL_X' }] })
  })

  it('lets the last of repeated build arguments win', () => {
    const args = (...pairs: readonly (readonly [string, string])[]) => pairs.map(([name, value]) => ({ name, value }))
    assert.deepEqual(
      mergeBuildArgs(args(['A', '1']), args(['B', '1'], ['A', '2'], ['B', '3'], ['A', '4'])),
      args(['A', '4'], ['B', '3']),
    )
  })
})
