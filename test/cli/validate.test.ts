import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { printYaml } from '../../src/shell/yaml.ts'
import { filesOf, runKmm } from './run-kmm.ts'

type Overrides = {
  readonly name?: string
  readonly selector?: object
  readonly modprobe?: object
  readonly mappings?: unknown
  readonly version?: string
  readonly extra?: object
}

const moduleYaml = ({
  name = 'a',
  selector = {},
  modprobe = { moduleName: 'a' },
  mappings = [{ regexp: '^5\\.', containerImage: 'r.example/org/a:1' }],
  version,
  extra = {},
}: Overrides = {}) =>
  `${printYaml({
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name },
    spec: {
      moduleLoader: { container: { modprobe, kernelMappings: mappings, ...(version === undefined ? {} : { version }) } },
      selector,
      ...extra,
    },
  })}---\n`

type Findings = {
  readonly errors: readonly {
    readonly object: { readonly name: string }
    readonly path: string
    readonly code: string
    readonly message: string
  }[]
  readonly warnings: Findings['errors']
}

async function validate(text: string, ...more: readonly string[]): Promise<{ code: number; findings: Findings }> {
  const { code, out } = await runKmm(['validate', '-f', '-', '-o', 'json', ...more], text)
  return { code, findings: JSON.parse(out) as Findings }
}

describe('kmm validate', () => {
  it('finds nothing wrong with a right Module and exits with 0', async () => {
    assert.deepEqual(await validate(moduleYaml()), { code: 0, findings: { errors: [], warnings: [] } })
  })

  it('tells all errors at once, with object, path, code and sentence, and exits with 1', async () => {
    const { code, findings } = await validate(
      moduleYaml({
        mappings: [{ containerImage: 'r.example/org/a:1' }, { literal: '5.1', regexp: '(', containerImage: 'r.example/org/a:1' }],
        modprobe: {},
      }),
    )
    assert.equal(code, 1)
    assert.ok(findings.errors.length >= 3, JSON.stringify(findings.errors))
    for (const error of findings.errors) {
      assert.deepEqual(error.object, { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', name: 'a', namespace: 'default' })
      assert.match(error.path, /^spec\.moduleLoader\.container\./)
      assert.match(error.code, /^[A-Z][A-Za-z]+$/)
      assert.match(error.message, / /)
    }
  })

  it('tells of a missing field, and of fields in the wrong place together with the broken rules', async () => {
    const missing = await validate('apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata: {name: a}\nspec: {}\n')
    assert.equal(missing.code, 1)
    assert.match(missing.findings.errors.map(error => error.message).join('\n'), /moduleLoader.*selector|selector.*moduleLoader/s)
    const misplaced = await validate(
      moduleYaml({ extra: { serviceAccountName: 'x' }, mappings: [{ regexp: '(', containerImage: 'r.example/org/a:1' }] }),
    )
    assert.equal(misplaced.code, 1)
    assert.match(misplaced.findings.errors[0]?.message ?? '', /spec\.moduleLoader\.serviceAccountName/)
    assert.equal(misplaced.findings.errors.length, 2)
  })

  it('exits with 0 on warnings', async () => {
    const { code, findings } = await validate(
      moduleYaml({ mappings: [{ regexp: '^.+\\fc37$', containerImage: 'r.example/org/a:1' }] }),
    )
    assert.equal(code, 0)
    assert.equal(findings.warnings.length, 1, JSON.stringify(findings.warnings))
  })

  it('says the same in whatever order the Modules come', async () => {
    const [a, b] = [moduleYaml({ name: 'a', modprobe: {} }), moduleYaml({ name: 'b', modprobe: {} })]
    assert.deepEqual(await validate(a + b), await validate(b + a))
  })

  const overlaps: readonly (readonly [what: string, one: Overrides, two: Overrides, warned: boolean])[] = [
    ['the same kernel module on the same nodes', {}, {}, true],
    [
      'the same kernel module written with - and _',
      { modprobe: { moduleName: 'x_y' } },
      { modprobe: { moduleName: 'x-y' } },
      true,
    ],
    [
      'a kernel module that the other one loads as a dependency',
      { modprobe: { moduleName: 'a' } },
      { modprobe: { moduleName: 'b', modulesLoadingOrder: ['b', 'a'] } },
      true,
    ],
    ['selectors of which one is narrower', { selector: { a: 'x' } }, { selector: { a: 'x', b: 'y' } }, true],
    ['selectors with different labels', { selector: { a: 'x' } }, { selector: { b: 'y' } }, true],
    ['selectors that exclude each other', { selector: { a: 'x' } }, { selector: { a: 'y' } }, false],
    ['different kernel modules', { modprobe: { moduleName: 'a' } }, { modprobe: { moduleName: 'b' } }, false],
    [
      'kernels that exclude each other',
      { mappings: [{ literal: '5.1', containerImage: 'r.example/org/a:1' }] },
      { mappings: [{ literal: '5.2', containerImage: 'r.example/org/a:1' }] },
      false,
    ],
    [
      'a kernel that the pattern of the other one matches',
      { mappings: [{ literal: '5.1', containerImage: 'r.example/org/a:1' }] },
      {},
      true,
    ],
    [
      'a kernel that the pattern of the other one does not match',
      { mappings: [{ literal: '6.1', containerImage: 'r.example/org/a:1' }] },
      {},
      false,
    ],
  ]
  for (const [what, one, two, warned] of overlaps) {
    it(`${warned ? 'warns of' : 'accepts'} two Modules with ${what}`, async () => {
      const { code, findings } = await validate(moduleYaml({ ...one, name: 'one' }) + moduleYaml({ ...two, name: 'two' }))
      assert.equal(code, 0)
      const taken = findings.warnings.filter(warning => warning.code === 'ModuleNameTaken')
      assert.deepEqual(
        taken.map(warning => warning.object.name),
        warned ? ['two'] : [],
      )
      if (warned) assert.match(taken[0]?.message ?? '', /Module default\/one names too/)
    })
  }

  it('judges only the change when it knows the old object', async t => {
    const directory = filesOf(t, { 'old.yaml': moduleYaml({ mappings: [{ regexp: '(', containerImage: 'r.example/org/a:1' }] }) })
    const next = moduleYaml({ mappings: [{ regexp: '(', containerImage: 'r.example/org/a:1' }], selector: { a: 'x' } })
    assert.equal((await validate(next)).code, 1)
    const { code, findings } = await validate(next, '--old', `${directory}/old.yaml`)
    assert.equal(code, 0)
    assert.ok(findings.warnings.length > 0)
  })

  it('refuses --old with a Module that -f does not hold', async t => {
    const directory = filesOf(t, { 'old.yaml': moduleYaml({ name: 'b' }) })
    const { code, err } = await runKmm(['validate', '-f', '-', '--old', `${directory}/old.yaml`], moduleYaml())
    assert.equal(code, 2)
    assert.match(err, /^kmm: --old holds Module default\/b \(.*old\.yaml\), which the input of -f does not hold\n$/)
  })

  it('takes a value of the wrong type for bad input, with file, line and field', async () => {
    const { code, out, err } = await runKmm(['validate', '-f', '-'], moduleYaml({ mappings: 'none' }))
    assert.deepEqual({ code, out }, { code: 2, out: '' })
    assert.match(
      err,
      /^kmm: stdin:\d+: Module default\/a: spec\.moduleLoader\.container\.kernelMappings: kernelMappings must be a list, but is the string "none".*\n$/,
    )
  })

  it('says so when there is no Module at all', async () => {
    const { code, err } = await runKmm(['validate', '-f', '-'], 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n')
    assert.equal(code, 0)
    assert.equal(err, 'kmm: there is no Module in the input, so nothing was checked\n')
  })

  it('prints for people the line of each finding, and a sum', async () => {
    const { out } = await runKmm(
      ['validate', '-f', '-'],
      moduleYaml() +
        moduleYaml({
          name: 'b',
          modprobe: { moduleName: 'b' },
          mappings: [{ regexp: '(', containerImage: 'r.example/org/a:1' }],
        }),
    )
    assert.match(
      out,
      /^Module default\/a: fine\nModule default\/b\n {2}error {3}stdin:\d+ spec\.moduleLoader\.container\.kernelMappings\[0\]\.regexp: .+ \(\w+\)\n1 error, 0 warnings: the API server/,
    )
  })
})
