// CustomResourceDefinitions: what they accept, refuse, default and prune.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Resource } from '../../src/core/object.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { accepted, eventually, metadataOf, ownersOf, refused, type Scenario, versionOf, type World } from './world.ts'

const crds: Resource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['selector'],
      anyOf: [{ required: ['image'] }, { required: ['regexp'] }],
      properties: {
        selector: { type: 'object', additionalProperties: { type: 'string' } },
        image: { type: 'string', minLength: 1 },
        regexp: { type: 'string', pattern: '^[a-z^$.*]+$' },
        policy: { type: 'string', enum: ['Always', 'Never'], default: 'Always' },
        replicas: { type: 'integer', minimum: 1, maximum: 5 },
        limit: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true, default: 1 },
        both: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, not: { required: ['a', 'b'] } },
        nested: { type: 'object', default: {}, properties: { depth: { type: 'integer', default: 3 } } },
        items: {
          type: 'array',
          maxItems: 3,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, value: { type: 'string' } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        nothing: { type: 'string', nullable: true },
      },
    },
    status: {
      type: 'object',
      properties: {
        count: { type: 'integer' },
        conditions: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
          items: { type: 'object', required: ['type'], properties: { type: { type: 'string' }, status: { type: 'string' } } },
        },
      },
    },
  },
}

const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' }

function definitionOf(gadgets: Resource, openAPIV3Schema: object) {
  const group = gadgets.apiVersion.slice(0, -'/v1'.length)
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } }]
  return { metadata: { name: `gadgets.${group}` }, spec: { group, names, scope: 'Namespaced', versions } }
}

const redefine = async (world: World, gadgets: Resource, openAPIV3Schema: object) =>
  accepted(await world.apply(crds, definitionOf(gadgets, openAPIV3Schema)))

/** A definition of the case's own, established. */
async function defined(world: World): Promise<Resource> {
  const group = `${world.unique('g')}.contract.test`
  const gadgets: Resource = { apiVersion: `${group}/v1`, kind: 'Gadget', plural: 'gadgets', namespaced: true }
  const definition = definitionOf(gadgets, schema)
  world.atEnd(() => world.remove(crds, definition.metadata.name))
  accepted(await world.apply(crds, definition), 201)
  await eventually('the new kind is served', async () => (await world.list(gadgets)).status === 200)
  return gadgets
}

const gadget = (spec: object, metadata: object = {}) => ({
  metadata: { name: 'a', ...metadata },
  spec: { selector: {}, image: 'i', ...spec },
})

const refusals: readonly (readonly [string, object, readonly string[]])[] = [
  ['a required field is missing', { selector: undefined }, ['is invalid: spec.selector: Required value']],
  [
    'a value has the wrong type',
    { replicas: 'x' },
    ['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'],
  ],
  [
    'a value is not among the allowed ones',
    { policy: 'Sometimes' },
    ['spec.policy: Unsupported value: "Sometimes": supported values: "Always", "Never"'],
  ],
  [
    'a number is too small',
    { replicas: 0 },
    ['spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1'],
  ],
  [
    'a number is too large',
    { replicas: 9 },
    ['spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 5'],
  ],
  ['a text is too short', { image: '' }, ['spec.image: Invalid value: "": spec.image in body should be at least 1 chars long']],
  [
    'a text does not match its pattern',
    { regexp: 'A' },
    ['spec.regexp: Invalid value: "A": spec.regexp in body should match \'^[a-z^$.*]+$\''],
  ],
  [
    'none of the alternatives fits',
    { image: undefined },
    ['must validate at least one schema (anyOf)', 'spec.image: Required value'],
  ],
  ['what must not be is', { both: { a: '1', b: '1' } }, ['must not validate the schema (not)']],
  [
    'a key of a list map is there twice',
    { items: [{ name: 'x' }, { name: 'x' }] },
    ['spec.items[1]: Duplicate value: {"name":"x"}'],
  ],
  [
    'a list is too long',
    { items: ['1', '2', '3', '4'].map(name => ({ name })) },
    ['spec.items: Too many: 4: must have at most 3 items'],
  ],
  [
    'an int-or-string is neither',
    { limit: true },
    ['spec.limit: Invalid value: "boolean": spec.limit in body must be of type integer,string: "boolean"'],
  ],
]

export function definitionCases(scenario: Scenario): void {
  scenario('a definition makes its kind servable, with defaults, without unknown fields', async world => {
    const gadgets = await defined(world)
    const reply = accepted(await world.create(gadgets, gadget({ typo: 1, free: { x: { y: 1 } }, limit: '10%' })), 201)
    assert.deepEqual(reply.body['spec'], {
      selector: {},
      image: 'i',
      policy: 'Always',
      limit: '10%',
      nested: { depth: 3 },
      free: { x: { y: 1 } },
    })
    assert.match(reply.headers['warning'] ?? '', /unknown field \\?"spec\.typo/)
    assert.equal(metadataOf(reply).generation, 1)
  })

  scenario('strict validation refuses unknown fields by name', async world => {
    const gadgets = await defined(world)
    refused(
      await world.create(gadgets, gadget({ typo: 1 }), { fieldValidation: 'Strict' }),
      400,
      'BadRequest',
      'strict decoding error: unknown field "spec.typo"',
    )
  })

  scenario('a null counts as absent where nothing may be null', async world => {
    const gadgets = await defined(world)
    const reply = accepted(await world.create(gadgets, gadget({ policy: null, regexp: null, nothing: null })), 201)
    assert.deepEqual(reply.body['spec'], {
      selector: {},
      image: 'i',
      policy: 'Always',
      limit: 1,
      nested: { depth: 3 },
      nothing: null,
    })
  })

  scenario('a schema refuses in sentences that name the field', async world => {
    const gadgets = await defined(world)
    for (const [what, spec, words] of refusals) {
      const reply = await world.create(gadgets, gadget(spec))
      assert.equal(reply.status, 422, `${what}: ${JSON.stringify(reply.body)}`)
      refused(reply, 422, 'Invalid', `Gadget.${gadgets.apiVersion.slice(0, -3)} "a" is invalid: `, ...words)
    }
  })

  scenario('the status of a custom resource is written apart, and counts not as a change of the spec', async world => {
    const gadgets = await defined(world)
    const made = accepted(await world.create(gadgets, { ...gadget({}), status: { count: 1 } }), 201)
    assert.equal(made.body['status'], undefined)
    const status = accepted(
      await world.patch(gadgets, 'a', 'merge-patch+json', { metadata: { labels: { l: '1' } }, status: { count: 2 } }, 'status'),
    )
    assert.deepEqual(status.body['status'], { count: 2 })
    assert.equal(metadataOf(status).generation, 1)
    assert.equal(metadataOf(status).labels, undefined)
    const both = accepted(await world.patch(gadgets, 'a', 'merge-patch+json', { spec: { replicas: 2 }, status: { count: 3 } }))
    assert.deepEqual(both.body['status'], { count: 2 })
    assert.equal(metadataOf(both).generation, 2)
  })

  scenario('the applied status of a custom resource has its owner, and is written once', async world => {
    const gadgets = await defined(world)
    accepted(await world.create(gadgets, gadget({})), 201)
    const status = { metadata: { name: 'a' }, status: { count: 0, conditions: [{ type: 'Ready', status: 'True' }] } } as never
    const first = accepted(await world.apply(gadgets, status, { subresource: 'status' }))
    assert.deepEqual(ownersOf(first)['one Apply status'], {
      'f:status': { 'f:count': {}, 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:type': {}, 'f:status': {} } } },
    })
    const second = accepted(await world.apply(gadgets, status, { subresource: 'status' }))
    assert.equal(versionOf(second), versionOf(first))
    const missing = { metadata: { name: 'none' }, status: { count: 0 } } as never
    refused(await world.apply(gadgets, missing, { subresource: 'status' }), 404, 'NotFound')
  })

  const condition = (type: string) => ({ type, status: 'True' })
  const status = (fields: object) => ({ metadata: { name: 'a' }, status: fields })

  scenario('an applied list that becomes empty is stored as no list', async world => {
    const gadgets = await defined(world)
    accepted(await world.create(gadgets, gadget({})), 201)
    accepted(await world.apply(gadgets, status({ count: 1, conditions: [condition('A')] }), { subresource: 'status' }))
    const reply = accepted(await world.apply(gadgets, status({ count: 1, conditions: [] }), { subresource: 'status' }))
    assert.deepEqual(reply.body['status'], { count: 1 })
  })

  scenario(
    'the last item of a list that an updater made cannot be let go by apply: the null left over is refused',
    async world => {
      const gadgets = await defined(world)
      accepted(await world.create(gadgets, gadget({})), 201)
      const update = (conditions: readonly object[]) =>
        world.patch(gadgets, 'a', 'merge-patch+json', { status: { conditions } }, 'status')
      accepted(await update([condition('A')]))
      accepted(await world.apply(gadgets, status({ conditions: [condition('B')] }), { subresource: 'status' }))
      accepted(await update([condition('B')]))
      const reply = await world.apply(gadgets, status({ count: 1 }), { subresource: 'status' })
      refused(reply, 422, 'Invalid', 'status.conditions: Invalid value: "null": conditions in body must be of type array')
    },
  )

  scenario('a field that the schema does not know cannot be applied', async world => {
    const gadgets = await defined(world)
    const reply = await world.apply(gadgets, gadget({ typo: 1 }))
    assert.equal(reply.status, 500)
    assert.match(
      String(reply.body['message']),
      /failed to create typed patch object .*: \.spec\.typo: field not declared in schema/,
    )
  })

  scenario('what was invalid before and does not change keeps no update from happening', async world => {
    const gadgets = await defined(world)
    accepted(await world.create(gadgets, gadget({ replicas: 5 })), 201)
    const stricter = structuredClone(schema) as { properties: { spec: { properties: { replicas: { maximum: number } } } } }
    stricter.properties.spec.properties.replicas.maximum = 4
    await redefine(world, gadgets, stricter)
    await eventually(
      'the stricter schema is in force',
      async () => (await world.create(gadgets, gadget({ replicas: 5 }, { name: world.unique('b') }))).status === 422,
    )
    accepted(await world.patch(gadgets, 'a', 'merge-patch+json', { spec: { regexp: 'a' } }))
    refused(await world.patch(gadgets, 'a', 'merge-patch+json', { spec: { replicas: 6 } }), 422, 'Invalid', 'spec.replicas')
  })

  scenario('what a create owns of a custom resource', async world => {
    const gadgets = await defined(world)
    const reply = accepted(
      await world.create(gadgets, gadget({ items: [{ name: 'x', value: '1' }] }, { annotations: { n: '1' } })),
      201,
    )
    assert.deepEqual(ownersOf(reply)['contract Update'], {
      'f:metadata': { 'f:annotations': { '.': {}, 'f:n': {} } },
      'f:spec': {
        '.': {},
        'f:image': {},
        'f:items': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
        'f:limit': {},
        'f:nested': { '.': {}, 'f:depth': {} },
        'f:policy': {},
        'f:selector': {},
      },
    })
  })

  scenario('list maps of a custom resource merge by their keys', async world => {
    const gadgets = await defined(world)
    accepted(await world.apply(gadgets, gadget({ items: [{ name: 'x', value: '1' }] })), 201)
    const two = { metadata: { name: 'a' }, spec: { items: [{ name: 'y', value: '2' }] } } as never
    const reply = accepted(await world.apply(gadgets, two, { by: 'two' }))
    assert.deepEqual(reply.body['spec']?.['items'], [
      { name: 'x', value: '1' },
      { name: 'y', value: '2' },
    ])
    const released = accepted(await world.apply(gadgets, { metadata: { name: 'a' } }, { by: 'two' }))
    assert.deepEqual(released.body['spec']?.['items'], [{ name: 'x', value: '1' }])
  })

  scenario('an update of a custom resource must say which version it changes', async world => {
    const gadgets = await defined(world)
    const made = accepted(await world.create(gadgets, gadget({})), 201)
    const { resourceVersion: _, ...metadata } = metadataOf(made)
    refused(
      await world.replace(gadgets, 'a', { ...(made.body as object), metadata }),
      422,
      'Invalid',
      'metadata.resourceVersion: Invalid value: 0',
      'must be specified for an update',
    )
  })

  scenario('a strategic merge patch of a custom resource is refused', async world => {
    const gadgets = await defined(world)
    accepted(await world.create(gadgets, gadget({})), 201)
    refused(await world.patch(gadgets, 'a', 'strategic-merge-patch+json', { spec: { replicas: 2 } }), 415, 'UnsupportedMediaType')
  })

  scenario('a watch from before the kind was served is told so in the stream, with code 410', async world => {
    const gadgets = await defined(world)
    const watch = await world.watch(gadgets, { resourceVersion: '1' })
    assert.equal(watch.status, 200)
    await watch.ends()
    assert.deepEqual(watch.story().length, 1)
    const { type, object } = watch.events[0] ?? assert.fail('no event')
    assert.equal(type, 'ERROR')
    assert.equal(object['kind'], 'Status')
    assert.equal(object['code'], 410)
    assert.equal(object['reason'], 'Expired')
    assert.match(String(object['message']), /^too old resource version: 1 \(\d+\)$/)
  })

  scenario('a deleted definition takes its objects along, and waits for their finalizers', async world => {
    const gadgets = await defined(world)
    const name = `gadgets.${gadgets.apiVersion.slice(0, -3)}`
    accepted(await world.create(gadgets, gadget({}, { finalizers: ['contract.test/hold'] })), 201)
    accepted(await world.remove(crds, name))
    await eventually(
      'the object is being deleted',
      async () => metadataOf(await world.get(gadgets, 'a')).deletionTimestamp !== undefined,
    )
    const conditions = [...(accepted(await world.get(crds, name)).body['status']?.['conditions'] ?? [])]
    assert.ok(conditions.some(condition => String(condition['type']) === 'Terminating' && String(condition['status']) === 'True'))
    await eventually(
      'new objects are refused',
      async () => (await world.create(gadgets, gadget({}, { name: world.unique('b') }))).status === 403,
    )
    accepted(await world.patch(gadgets, 'a', 'merge-patch+json', { metadata: { finalizers: null } }))
    await eventually('the definition is gone', async () => (await world.get(crds, name)).status === 404)
    await eventually('the kind is no longer served', async () => (await world.list(gadgets)).status === 404)
  })

  scenario('a schema that is not structural is refused', async world => {
    const group = `${world.unique('g')}.contract.test`
    const openAPIV3Schema = { type: 'object', properties: { spec: { properties: { a: { type: 'string' } } } } }
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }]
    const reply = await world.create(crds, {
      metadata: { name: `gadgets.${group}` },
      spec: { group, names, scope: 'Namespaced', versions },
    })
    refused(reply, 422, 'Invalid', 'spec.validation.openAPIV3Schema.properties[spec].type: Required value')
  })

  scenario('the Module definition that we ship is accepted and served', async world => {
    const file = 'config/crd/modules.kmm.sigs.x-k8s.io.yaml'
    const [document] = parseYamlDocuments(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), file)
    const modules: Resource = { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', plural: 'modules', namespaced: true }
    const body = document?.value as { readonly metadata: { readonly name: string } }
    const applied = await world.apply(crds, body, { by: 'kmm-install', force: true })
    assert.ok(applied.status < 300, JSON.stringify(applied.body))
    await eventually('Modules are served', async () => (await world.list(modules)).status === 200)
    refused(
      await world.create(modules, { metadata: { name: 'a' }, spec: {} }),
      422,
      'Invalid',
      'Module.kmm.sigs.x-k8s.io "a" is invalid',
      'spec.selector: Required value',
    )
  })
}
