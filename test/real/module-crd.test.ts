// The CRD of Module on a real API server: it is accepted, and refuses exactly what `kmm validate` refuses.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import { checkModuleShape } from '../../src/manifests/shape.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { controlPlaneForTests } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { misshapen, moduleWith, shapely } from '../manifests/shapes.ts'

const started = await controlPlaneForTests()
const skip = 'skipped' in started ? started.skipped : false
const modulesPath = '/apis/kmm.sigs.x-k8s.io/v1beta1/namespaces/default/modules'
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

type Answer = { readonly status: number; readonly body: { readonly message?: string; readonly [field: string]: unknown } }

async function ask(request: Omit<KubeRequest, 'deadlineMs'>): Promise<Answer> {
  const { status, body } = await (started as ControlPlane).transport(
    { ...request, deadlineMs: 10_000 },
    new AbortController().signal,
  )
  return { status, body: body as Answer['body'] }
}

/** As `kubectl create --dry-run=server` does, which refuses unknown fields. */
const create = (module: unknown) =>
  ask({ method: 'POST', path: modulesPath, query: { dryRun: 'All', fieldValidation: 'Strict' }, body: module })

type Condition = { readonly type: string; readonly status: string; readonly message: string }

async function conditionsOf(name: string): Promise<readonly Condition[]> {
  const { body } = await ask({ method: 'GET', path: `${crdPath}/${name}` })
  return (body['status'] as { conditions?: readonly Condition[] } | undefined)?.conditions ?? []
}

const sample = (name: string): unknown => {
  const file = join(import.meta.dirname, '../fixtures/documentation', `${name}.yaml`)
  return parseYamlDocuments(readFileSync(file, 'utf8'), file)[0]?.value
}

describe('CRD of Module on a real API server', { skip }, () => {
  before(async () => {
    for (const crd of customResourceDefinitions()) {
      const { status, body } = await ask({ method: 'POST', path: crdPath, query: { fieldValidation: 'Strict' }, body: crd })
      assert.equal(status, 201, body.message)
      const deadlineMs = Date.now() + 20_000
      for (;;) {
        const conditions = await conditionsOf(crd.metadata.name)
        if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) break
        assert(Date.now() < deadlineMs, `${crd.metadata.name} is not established: ${JSON.stringify(conditions)}`)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    }
    // Established comes a moment before the path is served.
    for (let tries = 0; tries < 100 && (await ask({ method: 'GET', path: modulesPath })).status !== 200; tries++) {
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  })

  after(async () => {
    await (started as ControlPlane).stop()
  })

  it('is structural', async () => {
    for (const crd of customResourceDefinitions()) {
      const broken = (await conditionsOf(crd.metadata.name)).find(({ type }) => type === 'NonStructuralSchema')
      assert.equal(broken?.message, undefined)
    }
  })

  for (const [sentence, value] of shapely) {
    it(`accepts ${sentence}`, async () => {
      const { status, body } = await create(value)
      assert.equal(status, 201, body.message)
    })
  }

  for (const [sentence, value] of misshapen) {
    it(`refuses ${sentence}`, async () => {
      const { status } = await create(value)
      assert([400, 404, 422].includes(status), `answered ${status}`)
    })
  }

  for (const name of ['annotated-module', 'sign-prebuilt-image', 'build-and-sign']) {
    it(`accepts the sample ${name} of the documentation`, async () => {
      const { status, body } = await create(sample(name))
      assert.equal(status, 201, body.message)
    })
  }

  it('refuses the fragment about firmware, naming both fields', async () => {
    const { status, body } = await create(sample('firmware-fragment'))
    assert.equal(status, 422)
    assert.match(body.message ?? '', /kernelMappings.*selector|selector.*kernelMappings/)
  })

  it('fills in the defaults', async () => {
    const { body } = await create(moduleWith({}))
    const spec = body['spec'] as { moduleLoader: { maxUnavailable: unknown; container: { modprobe: object } } }
    assert.equal(spec.moduleLoader.maxUnavailable, 1)
    assert.deepEqual(spec.moduleLoader.container.modprobe, { moduleName: 'driver', dirName: '/opt' })
    assert.deepEqual(checkModuleShape(body), [])
  })
})
