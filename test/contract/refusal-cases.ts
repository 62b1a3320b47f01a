// What the server refuses, and how it says so.
import assert from 'node:assert/strict'
import { accepted, configMaps, daemonSet, daemonSets, jobs, nodes, pod, pods, refused, type Scenario, secrets } from './world.ts'

const kernel = '6.12.117+deb12-cloud-amd64'

export function refusalCases(scenario: Scenario): void {
  scenario('what exists already cannot be created', async world => {
    await world.create(configMaps, { metadata: { name: 'a' } })
    refused(await world.create(configMaps, { metadata: { name: 'a' } }), 409, 'AlreadyExists', 'configmaps "a" already exists')
  })

  scenario('what is not there cannot be read, changed or patched', async world => {
    const missing = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
    refused(await world.get(configMaps, 'a'), 404, 'NotFound', 'configmaps "a" not found')
    refused(await world.replace(secrets, 'a', { ...missing, kind: 'Secret' }), 404, 'NotFound')
    const reply = await world.patch(configMaps, 'a', 'merge-patch+json', { data: {} })
    refused(reply, 404, 'NotFound')
    assert.deepEqual(reply.body['details'], { name: 'a', kind: 'configmaps' })
  })

  scenario('a kind that is not served has no path', async world => {
    const reply = await world.request('GET', '/apis/contract.test/v1/nothings')
    assert.equal(reply.status, 404)
  })

  scenario('a namespace that is not there takes nothing', async world => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
    const name = world.unique('nowhere')
    refused(
      await world.request('POST', `/api/v1/namespaces/${name}/configmaps`, { body }),
      404,
      'NotFound',
      `namespaces "${name}" not found`,
    )
  })

  scenario('the namespace of the object must be that of the path', async world => {
    refused(await world.create(configMaps, { metadata: { name: 'a', namespace: 'kube-system' } }), 400, 'BadRequest', 'namespace')
  })

  scenario(`a Debian kernel such as ${kernel} is no label value, anywhere`, async world => {
    const name = world.unique('node')
    world.atEnd(() => world.remove(nodes, name))
    await world.create(nodes, { metadata: { name } })
    const words = [
      'Invalid value: "6.12.117+deb12-cloud-amd64": a valid label must be an empty string or consist of alphanumeric characters',
    ]
    refused(
      await world.patch(nodes, name, 'merge-patch+json', { metadata: { labels: { k: kernel } } }),
      422,
      'Invalid',
      'metadata.labels:',
      ...words,
    )
    const selector = daemonSet('a', { pod: { nodeSelector: { k: kernel } } })
    refused(await world.create(daemonSets, selector), 422, 'Invalid', 'spec.template.spec.nodeSelector:', ...words)
    refused(
      await world.apply(daemonSets, daemonSet('a', { labels: { k: kernel } })),
      422,
      'Invalid',
      'metadata.labels:',
      ...words,
    )
    accepted(await world.patch(nodes, name, 'merge-patch+json', { metadata: { labels: { k: kernel.replace('+', '_') } } }))
  })

  scenario('a label key or value over 63 characters is refused', async world => {
    refused(
      await world.create(configMaps, { metadata: { name: 'a', labels: { k: 'x'.repeat(64) } } }),
      422,
      'Invalid',
      'must be no more than 63',
    )
    refused(
      await world.create(configMaps, { metadata: { name: 'a', labels: { ['x'.repeat(64)]: '' } } }),
      422,
      'Invalid',
      'name part must be no more than 63',
    )
  })

  scenario('names are DNS names', async world => {
    refused(
      await world.create(configMaps, { metadata: { name: 'A_b' } }),
      422,
      'Invalid',
      'metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain',
    )
    refused(await world.create(configMaps, { metadata: {} }), 422, 'Invalid', 'name or generateName is required')
  })

  scenario('the selector of a DaemonSet is immutable', async world => {
    accepted(await world.create(daemonSets, daemonSet('a')), 201)
    const other = { spec: { selector: { matchLabels: { app: 'b' } }, template: { metadata: { labels: { app: 'b' } } } } }
    const reply = await world.patch(daemonSets, 'a', 'merge-patch+json', other)
    refused(reply, 422, 'Invalid', 'DaemonSet.apps "a" is invalid', 'spec.selector: Invalid value:', 'field is immutable')
    assert.equal(reply.body['details']?.['causes']?.[0]?.['field'], 'spec.selector')
  })

  scenario('the selector of a DaemonSet must match its template', async world => {
    const wrong = daemonSet('a', { spec: { selector: { matchLabels: { app: 'b' } } } })
    refused(
      await world.create(daemonSets, wrong),
      422,
      'Invalid',
      'spec.template.metadata.labels:',
      '`selector` does not match template `labels`',
    )
  })

  scenario('a DaemonSet restarts its pods always, a Job never says so', async world => {
    refused(
      await world.create(daemonSets, daemonSet('a', { pod: { restartPolicy: 'Never' } })),
      422,
      'Invalid',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    )
    const spec = { template: { spec: { containers: [{ name: 'a', image: 'b' }] } } }
    refused(await world.create(jobs, { metadata: { name: 'a' }, spec }), 422, 'Invalid', 'spec.template.spec.restartPolicy:')
  })

  scenario('containers need names, images and volumes that exist', async world => {
    refused(await world.create(pods, pod('a', { spec: { containers: [] } })), 422, 'Invalid', 'spec.containers: Required value')
    refused(
      await world.create(pods, pod('a', { spec: { containers: [{ name: 'a' }] } })),
      422,
      'Invalid',
      'spec.containers[0].image: Required value',
    )
    const mounts = daemonSet('a', { container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] } })
    refused(
      await world.create(daemonSets, mounts),
      422,
      'Invalid',
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"',
    )
    const twice = daemonSet('a', { pod: { volumes: [{ name: 'v' }, { name: 'v' }] } })
    refused(await world.create(daemonSets, twice), 422, 'Invalid', 'spec.template.spec.volumes[1].name: Duplicate value: "v"')
  })

  scenario('the image of a pod may change, its command may not', async world => {
    accepted(await world.create(pods, pod('a')), 201)
    accepted(
      await world.patch(pods, 'a', 'strategic-merge-patch+json', {
        spec: { containers: [{ name: 'a', image: 'registry.test/a:2' }] },
      }),
    )
    const command = { spec: { containers: [{ name: 'a', command: ['x'] }] } }
    refused(
      await world.patch(pods, 'a', 'strategic-merge-patch+json', command),
      422,
      'Invalid',
      'spec: Forbidden: pod updates may not change fields other than',
    )
  })

  scenario('the template of a Job is immutable', async world => {
    const spec = {
      suspend: false,
      template: { spec: { schedulerName: 'contract-nobody', restartPolicy: 'Never', containers: [{ name: 'a', image: 'b' }] } },
    }
    accepted(await world.create(jobs, { metadata: { name: 'a' }, spec }), 201)
    const change = { spec: { template: { spec: { containers: [{ name: 'a', image: 'c' }] } } } }
    refused(
      await world.patch(jobs, 'a', 'strategic-merge-patch+json', change),
      422,
      'Invalid',
      'spec.template:',
      'field is immutable',
    )
  })

  scenario('an object has one controller only', async world => {
    const owner = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: name, controller: true })
    refused(
      await world.create(configMaps, { metadata: { name: 'a', ownerReferences: [owner('x'), owner('y')] } }),
      422,
      'Invalid',
      'Only one reference can have Controller set to true',
    )
  })

  scenario('a patch of an unknown type is refused', async world => {
    accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    const path = `/api/v1/namespaces/${world.namespace}/configmaps/a`
    refused(await world.request('PATCH', path, { body: {}, contentType: 'application/json' }), 415, 'UnsupportedMediaType')
  })

  scenario('an object of another kind is refused', async world => {
    refused(await world.create(configMaps, { kind: 'Secret', metadata: { name: 'a' } }), 400, 'BadRequest')
  })
}
