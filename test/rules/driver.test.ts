// Each error about the name, the kernels, the images and modprobe, and its nearest valid neighbour (behaviour.md 9.1).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeModule } from '../../src/core/module/rules.ts'
import { containerOf, type Draft, describeErrors, type Edit, firstMapping, moduleWith, type Row } from './subject.ts'

const plugin = { container: { image: 'registry.example.com/plugin:1' } }
const container = 'spec.moduleLoader.container'
const modprobe = `${container}.modprobe`
const mapping = `${container}.kernelMappings[0]`
const noName = (draft: Draft) => delete containerOf(draft).modprobe.moduleName

const rows: readonly Row[] = [
  {
    sentence: 'namespace and name of a versioned Module have at most 39 characters',
    wrong: draft => {
      draft.metadata = { name: 'n'.repeat(33), namespace: 'drivers' }
      containerOf(draft).version = '1.0'
    },
    errors: ['NameTooLongForVersion at metadata.name'],
    right: draft => {
      draft.metadata = { name: 'n'.repeat(32), namespace: 'drivers' }
      containerOf(draft).version = '1.0'
    },
  },
  {
    sentence: 'without a version the name may be longer',
    wrong: draft => {
      draft.metadata = { name: 'n'.repeat(50), namespace: 'drivers' }
    },
    errors: ['ReadyLabelTooLong at metadata.name'],
    right: draft => {
      draft.metadata = { name: 'n'.repeat(49), namespace: 'drivers' }
    },
  },
  {
    sentence: 'the ready label of the device plugin is longer',
    wrong: draft => {
      draft.metadata = { name: 'n'.repeat(36), namespace: 'drivers' }
      draft.spec.devicePlugin = plugin
    },
    errors: ['ReadyLabelTooLong at metadata.name'],
    right: draft => {
      draft.metadata = { name: 'n'.repeat(35), namespace: 'drivers' }
      draft.spec.devicePlugin = plugin
    },
  },
  {
    sentence: 'a name over 63 characters is no label value',
    wrong: draft => {
      draft.metadata = { name: 'n'.repeat(64), namespace: 'd' }
    },
    errors: ['NameNotLabelValue at metadata.name', 'ReadyLabelTooLong at metadata.name'],
    right: draft => {
      draft.metadata = { name: 'n'.repeat(55), namespace: 'd' }
    },
  },
  {
    sentence: 'a version is a label value',
    wrong: draft => {
      containerOf(draft).version = '1.0+build 7'
    },
    errors: [`VersionNotLabelValue at ${container}.version`],
    right: draft => {
      containerOf(draft).version = '1.0_build-7'
    },
  },
  {
    sentence: 'a versioned Module has no dots in its name',
    wrong: draft => {
      draft.metadata = { name: 'a.b', namespace: 'drivers' }
      containerOf(draft).version = '1'
    },
    errors: ['DotsInName at metadata.name'],
    right: draft => {
      draft.metadata = { name: 'a.b', namespace: 'drivers' }
    },
  },
  {
    sentence: 'a mapping does not have both literal and regexp',
    wrong: draft => {
      firstMapping(draft).regexp = '^6'
    },
    errors: [`LiteralAndRegexp at ${mapping}`],
    right: draft => {
      firstMapping(draft).regexp = ''
    },
  },
  {
    sentence: 'a mapping has a literal or a regexp',
    wrong: draft => {
      firstMapping(draft).literal = ''
    },
    errors: [`LiteralOrRegexpMissing at ${mapping}`],
    right: draft => {
      firstMapping(draft).literal = ''
      firstMapping(draft).regexp = '^6\\.'
    },
  },
  {
    sentence: 'a regexp has the syntax of Go, without look-around',
    wrong: draft => {
      firstMapping(draft).literal = ''
      firstMapping(draft).regexp = '^6(?!\\.1)'
    },
    errors: [`RegexpInvalid at ${mapping}.regexp`],
    right: draft => {
      firstMapping(draft).literal = ''
      firstMapping(draft).regexp = '(?i)^6\\.[[:digit:]]+(?P<rest>.*)\\z'
    },
  },
  {
    sentence: 'a regexp is complete',
    wrong: draft => {
      firstMapping(draft).literal = ''
      firstMapping(draft).regexp = '^6[.'
    },
    errors: [`RegexpInvalid at ${mapping}.regexp`],
    right: draft => {
      firstMapping(draft).literal = ''
      firstMapping(draft).regexp = '^6[.]'
    },
  },
  {
    sentence: 'each mapping has an image, its own or that of the container',
    wrong: draft => {
      firstMapping(draft).containerImage = ''
    },
    errors: [`ImageMissing at ${mapping}.containerImage`],
    right: draft => {
      delete firstMapping(draft).containerImage
      containerOf(draft).containerImage = 'registry.example.com/driver:${KERNEL_VERSION}'
    },
  },
  {
    sentence: 'an image is an image reference',
    wrong: draft => {
      firstMapping(draft).containerImage = 'Registry.example.com/Driver:1'
    },
    errors: [`ImageInvalid at ${mapping}.containerImage`],
    right: draft => {
      firstMapping(draft).containerImage = 'registry.example.com:5000/driver:1'
    },
  },
  {
    sentence: 'the braces of a variable are closed',
    wrong: draft => {
      firstMapping(draft).containerImage = 'registry.example.com/driver:${KERNEL_VERSION'
    },
    errors: [`TemplateInvalid at ${mapping}.containerImage`],
    right: draft => {
      firstMapping(draft).containerImage = 'registry.example.com/driver:$KERNEL_VERSION'
    },
  },
  {
    sentence: 'the image of the device plugin is an image reference',
    wrong: draft => {
      draft.spec.devicePlugin = { container: { image: '' } }
    },
    errors: ['ImageInvalid at spec.devicePlugin.container.image'],
    right: draft => {
      draft.spec.devicePlugin = plugin
    },
  },
  {
    sentence: 'rawArgs.load does not go with a moduleName',
    wrong: draft => {
      containerOf(draft).modprobe.rawArgs = { load: ['driver'] }
    },
    errors: [`RawArgsWithModuleName at ${modprobe}.rawArgs`],
    right: draft => {
      containerOf(draft).modprobe.rawArgs = { load: [] }
    },
  },
  {
    sentence: 'rawArgs.unload does not go with a moduleName',
    wrong: draft => {
      containerOf(draft).modprobe.rawArgs = { unload: ['-r', 'driver'] }
    },
    errors: [`RawArgsWithModuleName at ${modprobe}.rawArgs`],
    right: draft => {
      noName(draft)
      containerOf(draft).modprobe.rawArgs = { load: ['driver'], unload: ['-r', 'driver'] }
    },
  },
  {
    sentence: 'without a moduleName there are rawArgs',
    wrong: noName,
    errors: [`RawArgsIncomplete at ${modprobe}.moduleName`],
    right: draft => {
      noName(draft)
      containerOf(draft).modprobe.rawArgs = { load: ['driver'], unload: ['-r', 'driver'] }
    },
  },
  {
    sentence: 'without a moduleName rawArgs has both load and unload',
    wrong: draft => {
      containerOf(draft).modprobe = { moduleName: '', rawArgs: { load: ['driver'], unload: [] } }
    },
    errors: [`RawArgsIncomplete at ${modprobe}.rawArgs.unload`],
    right: draft => {
      containerOf(draft).modprobe = { moduleName: '', rawArgs: { load: ['driver'], unload: ['-r', 'driver'] } }
    },
  },
  {
    sentence: 'modulesLoadingOrder has at least two entries',
    wrong: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['driver']
    },
    errors: [`LoadingOrderTooShort at ${modprobe}.modulesLoadingOrder`],
    right: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['driver', 'base']
    },
  },
  {
    sentence: 'an empty modulesLoadingOrder is too short as well',
    wrong: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = []
    },
    errors: [`LoadingOrderTooShort at ${modprobe}.modulesLoadingOrder`],
    right: draft => {
      delete containerOf(draft).modprobe.modulesLoadingOrder
    },
  },
  {
    sentence: 'modulesLoadingOrder needs a moduleName',
    wrong: draft => {
      containerOf(draft).modprobe = { rawArgs: { load: ['a'], unload: ['b'] }, modulesLoadingOrder: ['a', 'b'] }
    },
    errors: [`LoadingOrderWithoutModuleName at ${modprobe}.moduleName`],
    right: draft => {
      containerOf(draft).modprobe = { moduleName: 'a', modulesLoadingOrder: ['a', 'b'] }
    },
  },
  {
    sentence: 'modulesLoadingOrder begins with moduleName',
    wrong: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['base', 'driver']
    },
    errors: [`LoadingOrderFirst at ${modprobe}.modulesLoadingOrder[0]`],
    right: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['driver', 'base']
    },
  },
  {
    sentence: 'modulesLoadingOrder names nothing twice',
    wrong: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['driver', 'base', 'base']
    },
    errors: [`LoadingOrderDuplicate at ${modprobe}.modulesLoadingOrder[2]`],
    right: draft => {
      containerOf(draft).modprobe.modulesLoadingOrder = ['driver', 'base', 'core']
    },
  },
  {
    sentence: 'a kernel module has a name and not an option, a path or a placeholder',
    wrong: draft => {
      containerOf(draft).modprobe.moduleName = '<my module>'
      containerOf(draft).inTreeModuleToRemove = '-f'
      firstMapping(draft).inTreeModuleToRemove = '/lib/a.ko'
    },
    errors: [
      `ModuleNameInvalid at ${modprobe}.moduleName`,
      `ModuleNameInvalid at ${container}.inTreeModuleToRemove`,
      `ModuleNameInvalid at ${mapping}.inTreeModuleToRemove`,
    ],
    right: draft => {
      containerOf(draft).modprobe.moduleName = 'my_module-2'
      containerOf(draft).inTreeModuleToRemove = ''
    },
  },
]

describeErrors('driver of a Module', rows)

describe('admission rules', () => {
  it('finds nothing wrong with a valid Module', () => {
    assert.deepEqual(judgeModule(moduleWith()), { errors: [], warnings: [] })
  })

  it('says the actual numbers of a name that is too long', () => {
    const long: Edit = draft => {
      draft.metadata = { name: 'n'.repeat(40), namespace: 'drivers' }
      draft.spec.devicePlugin = plugin
      containerOf(draft).version = '1'
    }
    const messages = judgeModule(moduleWith(long)).errors.map(({ message }) => message)
    assert.match(messages[0] ?? '', /47 characters together.*at most 39.*by 8/)
    assert.match(messages[1] ?? '', /has 68 characters behind the slash.*allows 63.*by 5/)
  })

  it('tells every error at once', () => {
    const several = moduleWith(noName, draft => {
      firstMapping(draft).literal = ''
      draft.spec.moduleLoader.maxUnavailable = 0
    })
    assert.equal(judgeModule(several).errors.length, 3)
  })
})
