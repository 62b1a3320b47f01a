// What is legal and looks like a mistake.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeModule } from '../../src/core/module/rules.ts'
import { impossibleEscape } from '../../src/core/module/rules-mappings.ts'
import { containerOf, type Draft, type Edit, firstMapping, moduleWith, warningsOf } from './subject.ts'

const container = 'spec.moduleLoader.container'
const image = 'registry.example.com/driver:1'

const mapped =
  (...mappings: readonly object[]): Edit =>
  (draft: Draft) => {
    containerOf(draft).kernelMappings = mappings.map(mapping => ({ containerImage: image, ...mapping }))
  }

const shadowed = (index: number) => `MappingShadowed at ${container}.kernelMappings[${index}]`

const rows: readonly {
  readonly sentence: string
  readonly odd: Edit
  readonly warnings: readonly string[]
  readonly fine: Edit
}[] = [
  {
    sentence: 'the form feed of the documentation matches no kernel',
    odd: mapped({ regexp: '^.+\\fc37\\.x86_64$' }),
    warnings: [`RegexpNeverMatches at ${container}.kernelMappings[0].regexp`],
    fine: mapped({ regexp: '^.+\\.fc37\\.x86_64$' }),
  },
  {
    sentence: 'a literal with the signs of a pattern matches no kernel',
    odd: mapped({ literal: '^6\\..*' }),
    warnings: [`LiteralNeverMatches at ${container}.kernelMappings[0].literal`],
    fine: mapped({ literal: '6.12.117+deb12-cloud-amd64' }),
  },
  {
    sentence: 'a literal comes once',
    odd: mapped({ literal: '6.1' }, { literal: '6.1' }),
    warnings: [shadowed(1)],
    fine: mapped({ literal: '6.1' }, { literal: '6.2' }),
  },
  {
    sentence: 'a literal comes before the regexp that matches it',
    odd: mapped({ regexp: '^6\\.' }, { literal: '6.1.0' }),
    warnings: [shadowed(1)],
    fine: mapped({ literal: '6.1.0' }, { regexp: '^6\\.' }),
  },
  {
    sentence: 'a regexp comes once',
    odd: mapped({ regexp: '^6' }, { regexp: '^5' }, { regexp: '^6' }),
    warnings: [shadowed(2)],
    fine: mapped({ regexp: '^6' }, { regexp: '^5' }),
  },
  ...['^.+$', '.*', '^.*$', '.', '(.+)', '\\A.+\\z', '^\\S+$', '^'].map(regexp => ({
    sentence: `nothing comes after ${regexp}`,
    odd: mapped({ regexp }, { regexp: '^5' }),
    warnings: [shadowed(1)],
    fine: mapped({ regexp: '^5' }, { regexp }),
  })),
  {
    sentence: 'an image without a tag changes unseen',
    odd: mapped({ regexp: '^6', containerImage: 'registry.example.com:5000/driver' }),
    warnings: [`MutableTag at ${container}.kernelMappings[0].containerImage`],
    fine: mapped({ regexp: '^6', containerImage: `registry.example.com:5000/driver@sha256:${'0'.repeat(64)}` }),
  },
  {
    sentence: 'the tag latest changes unseen',
    odd: draft => {
      draft.spec.devicePlugin = { container: { image: 'a/b:latest' } }
    },
    warnings: ['MutableTag at spec.devicePlugin.container.image'],
    fine: draft => {
      draft.spec.devicePlugin = { container: { image: 'a/b:1' } }
    },
  },
  {
    sentence: 'a variable is one that exists',
    odd: mapped({ regexp: '^6', containerImage: 'a/b:v${KERNEL_FULL_VERISON}' }),
    warnings: [`VariableUnknown at ${container}.kernelMappings[0].containerImage`],
    fine: mapped({ regexp: '^6', containerImage: 'a/b:v${KERNEL_FULL_VERSION}-$MOD_NAME-${KERNEL_X:-6}' }),
  },
  {
    sentence: 'files to sign know only the kernel',
    odd: draft => {
      const sign = {
        keySecret: { name: 'key' },
        certSecret: { name: 'cert' },
        unsignedImage: 'a/b:1',
        filesToSign: ['/opt/$MOD_NAME.ko'],
      }
      firstMapping(draft).sign = sign
    },
    warnings: [`VariableUnknown at ${container}.kernelMappings[0].sign.filesToSign[0]`],
    fine: draft => {
      const sign = {
        keySecret: { name: 'key' },
        certSecret: { name: 'cert' },
        unsignedImage: 'a/b:1',
        filesToSign: ['/opt/$KERNEL_VERSION.ko'],
      }
      firstMapping(draft).sign = sign
    },
  },
  {
    sentence: 'sign lists files, with absolute paths',
    odd: draft => {
      firstMapping(draft).sign = { keySecret: { name: 'key' }, certSecret: { name: 'cert' }, unsignedImage: 'a/b:1' }
    },
    warnings: [`NothingToSign at ${container}.kernelMappings[0].sign.filesToSign`],
    fine: draft => {
      const sign = { keySecret: { name: 'key' }, certSecret: { name: 'cert' }, unsignedImage: 'a/b:1', filesToSign: ['/a.ko'] }
      containerOf(draft).sign = sign
    },
  },
  {
    sentence: 'a relative path is no file of the image',
    odd: draft => {
      const sign = { keySecret: { name: 'key' }, certSecret: { name: 'cert' }, unsignedImage: 'a/b:1', filesToSign: ['a.ko'] }
      containerOf(draft).sign = sign
      containerOf(draft).modprobe.firmwarePath = 'firmware'
    },
    warnings: [
      `FirmwarePathRelative at ${container}.modprobe.firmwarePath`,
      `FileToSignRelative at ${container}.sign.filesToSign[0]`,
    ],
    fine: draft => {
      containerOf(draft).modprobe.firmwarePath = '/firmware'
    },
  },
  {
    sentence: 'an unsigned image beside a build does nothing',
    odd: draft => {
      firstMapping(draft).build = { dockerfileConfigMap: { name: 'file' }, kanikoParams: { tag: '1' } }
      const sign = { keySecret: { name: 'key' }, certSecret: { name: 'cert' }, unsignedImage: 'a/b:1', filesToSign: ['/a.ko'] }
      firstMapping(draft).sign = sign
    },
    warnings: [
      `UnsignedImageIgnored at ${container}.kernelMappings[0].sign.unsignedImage`,
      `KanikoParamsIgnored at ${container}.kernelMappings[0].build.kanikoParams`,
    ],
    fine: draft => {
      firstMapping(draft).build = { dockerfileConfigMap: { name: 'file' } }
    },
  },
  {
    sentence: 'rawArgs replace parameters and args',
    odd: draft => {
      containerOf(draft).modprobe = { rawArgs: { load: ['a'], unload: ['-r', 'a'] }, parameters: ['x=1'], args: { load: ['-f'] } }
    },
    warnings: [`FieldsIgnored at ${container}.modprobe.rawArgs`],
    fine: draft => {
      containerOf(draft).modprobe = { rawArgs: { load: ['a'], unload: ['-r', 'a'] } }
    },
  },
  {
    sentence: 'modprobe takes no file name',
    odd: draft => {
      containerOf(draft).modprobe.moduleName = 'driver.ko'
    },
    warnings: [`ModuleNameIsFile at ${container}.modprobe.moduleName`],
    fine: draft => {
      containerOf(draft).modprobe.moduleName = 'driver_ko'
    },
  },
  {
    sentence: 'a name with dots can look like the label of another Module',
    odd: draft => {
      draft.metadata.name = 'a.b'
    },
    warnings: ['DotsInName at metadata.name'],
    fine: draft => {
      draft.metadata.name = 'a-b'
    },
  },
  {
    sentence: 'a registry without trust is a way into the kernel',
    odd: draft => {
      containerOf(draft).registryTLS = { insecureSkipTLSVerify: true }
    },
    warnings: [`InsecureRegistry at ${container}.registryTLS`],
    fine: draft => {
      containerOf(draft).registryTLS = { insecure: false }
    },
  },
]

describe('warnings of the admission rules', () => {
  for (const { sentence, odd, warnings, fine } of rows) {
    it(sentence, () => {
      assert.deepEqual(warningsOf(moduleWith(odd)), warnings)
      assert.deepEqual(warningsOf(moduleWith(fine)), [])
      assert.deepEqual(judgeModule(moduleWith(odd)).errors, [])
    })
  }

  it('are told in linear time, however many mappings there are: the operator judges each Module again and again', () => {
    const many = moduleWith(draft => {
      containerOf(draft).kernelMappings = Array.from({ length: 1000 }, (_, index) => ({
        regexp: `^6\\.1\\.${index}-.+$`,
        containerImage: `registry.example.com/driver:${index}`,
      }))
    })
    const startedMs = performance.now()
    assert.deepEqual(judgeModule(many), { errors: [], warnings: [] })
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs < 3000, `${tookMs} ms for 1000 mappings`)
  })

  it('says what to write instead of a form feed', () => {
    const [warning] = judgeModule(moduleWith(mapped({ regexp: '^.+\\fc37\\.x86_64$' }))).warnings
    assert.match(warning?.message ?? '', /'\^\.\+\\fc37\\\.x86_64\$'.*form feed.*\\\.f for a dot/)
  })

  for (const pattern of [
    '\\f?c37',
    '\\f*',
    'a|\\f',
    '(\\f)?',
    '[\\f]',
    '[^\\f]',
    '[]\\f]',
    '\\\\f',
    '[[:space:]a]',
    '\\f{0,1}x',
    '\\.fc37',
  ]) {
    it(`does not claim that ${pattern} never matches`, () => {
      assert.equal(impossibleEscape(pattern), undefined)
    })
  }

  for (const pattern of ['\\f', 'a\\n', '6 1', '\\s+x', '[ab]\\t', '\\f+']) {
    it(`sees that ${pattern} never matches`, () => {
      assert.notEqual(impossibleEscape(pattern), undefined)
    })
  }
})
