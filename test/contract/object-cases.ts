// Creating and changing objects: versions, generation, status, patches.
import assert from 'node:assert/strict'
import {
  accepted,
  configMaps,
  daemonSet,
  daemonSets,
  jobs,
  metadataOf,
  namespaces,
  nodes,
  ownersOf,
  pod,
  pods,
  refused,
  type Scenario,
  secrets,
  versionOf,
} from './world.ts'

const template = (image: string) => ({
  spec: { template: { spec: { containers: [{ name: 'a', image }] } } },
})

export function objectCases(scenario: Scenario): void {
  scenario('a created object has uid, version, creation time and the fields of its manager', async world => {
    const reply = accepted(await world.create(configMaps, { metadata: { name: 'a', labels: { l: '1' } }, data: { x: '1' } }), 201)
    const { uid, resourceVersion, creationTimestamp, namespace, generation } = metadataOf(reply)
    assert.match(uid ?? '', /^[0-9a-f-]{36}$/)
    assert.match(resourceVersion ?? '', /^[1-9]\d*$/)
    assert.match(creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(namespace, world.namespace)
    assert.equal(generation, undefined)
    assert.deepEqual(ownersOf(reply), {
      'contract Update': { 'f:data': { '.': {}, 'f:x': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } },
    })
  })

  scenario('a name is made from generateName', async world => {
    const reply = accepted(await world.create(configMaps, { metadata: { generateName: 'a-' } }), 201)
    assert.match(metadataOf(reply).name, /^a-[a-z0-9]{5}$/)
  })

  scenario('versions are numbers that grow with every write in the cluster', async world => {
    const first = accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    const second = accepted(await world.create(secrets, { metadata: { name: 'a' } }), 201)
    assert.ok(Number(versionOf(second)) > Number(versionOf(first)))
  })

  scenario('an update with a stale version is a conflict', async world => {
    const made = accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: '1' } })
    const stale = { ...(made.body as object), data: { x: '2' } }
    refused(
      await world.replace(configMaps, 'a', stale),
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "a": the object has been modified',
    )
  })

  scenario('an update that changes nothing keeps the version', async world => {
    const made = accepted(await world.create(configMaps, { metadata: { name: 'a' }, data: { x: '1' } }), 201)
    const again = accepted(await world.replace(configMaps, 'a', made.body))
    const patched = accepted(await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: '1' } }))
    assert.equal(versionOf(again), versionOf(made))
    assert.equal(versionOf(patched), versionOf(made))
  })

  scenario('the uid of another incarnation in an update is a conflict', async world => {
    const made = accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    const { resourceVersion: _, ...metadata } = metadataOf(made)
    const body = { ...(made.body as object), metadata: { ...metadata, uid: '00000000-0000-4000-8000-000000000001' } }
    refused(await world.replace(configMaps, 'a', body), 409, 'Conflict', 'Precondition failed: UID in precondition')
  })

  scenario('the generation counts changes of the spec, not of metadata or status', async world => {
    const made = accepted(await world.create(daemonSets, daemonSet('a')), 201)
    assert.equal(metadataOf(made).generation, 1)
    const labelled = accepted(await world.patch(daemonSets, 'a', 'merge-patch+json', { metadata: { labels: { l: '1' } } }))
    assert.equal(metadataOf(labelled).generation, 1)
    const changed = accepted(await world.patch(daemonSets, 'a', 'strategic-merge-patch+json', template('registry.test/a:2')))
    assert.equal(metadataOf(changed).generation, 2)
  })

  scenario('a status sent with the object is ignored, and a spec sent with the status too', async world => {
    const name = world.unique('node')
    world.atEnd(() => world.remove(nodes, name))
    accepted(await world.create(nodes, { metadata: { name, labels: { first: '1' } } }), 201)
    const both = { metadata: { labels: { l: '1' } }, spec: { unschedulable: true }, status: { phase: 'Running' } }
    const main = accepted(await world.patch(nodes, name, 'merge-patch+json', both))
    assert.equal(main.body['status']?.['phase'], undefined)
    assert.equal(main.body['spec']?.['unschedulable'], true)
    const status = accepted(
      await world.patch(
        nodes,
        name,
        'merge-patch+json',
        { spec: { unschedulable: null }, status: { phase: 'Running' } },
        'status',
      ),
    )
    assert.equal(status.body['status']?.['phase'], 'Running')
    assert.equal(status.body['spec']?.['unschedulable'], true)
    assert.ok('contract Update status' in ownersOf(status))
  })

  scenario('applied status has an owner of its own', async world => {
    accepted(await world.apply(daemonSets, daemonSet('a')), 201)
    const condition = {
      type: 'contract.test/c',
      status: 'True',
      reason: 'R',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const reply = accepted(
      await world.apply(
        daemonSets,
        {
          metadata: { name: 'a' },
          status: {
            currentNumberScheduled: 0,
            numberMisscheduled: 0,
            desiredNumberScheduled: 0,
            numberReady: 0,
            conditions: [condition],
          },
        } as never,
        { subresource: 'status', force: true },
      ),
    )
    const owned = ownersOf(reply)['one Apply status'] as Record<string, Record<string, unknown>>
    assert.deepEqual(Object.keys(owned), ['f:status'])
    assert.ok(JSON.stringify(owned).includes('contract.test/c'))
  })

  scenario('JSON patch: operations apply in order, and a failed test refuses them all', async world => {
    accepted(await world.create(configMaps, { metadata: { name: 'a', annotations: { 'contract.test/b': '1' } } }), 201)
    const good = [
      { op: 'test', path: '/metadata/annotations/contract.test~1b', value: '1' },
      { op: 'add', path: '/data', value: {} },
      { op: 'add', path: '/data/x', value: '1' },
      { op: 'copy', from: '/data/x', path: '/data/y' },
      { op: 'move', from: '/data/y', path: '/data/z' },
      { op: 'replace', path: '/data/x', value: '2' },
    ]
    assert.deepEqual(accepted(await world.patch(configMaps, 'a', 'json-patch+json', good)).body['data'], { x: '2', z: '1' })
    const failing = [
      { op: 'replace', path: '/data/x', value: '3' },
      { op: 'test', path: '/data/z', value: 'other' },
    ]
    const reply = await world.patch(configMaps, 'a', 'json-patch+json', failing)
    assert.equal(reply.status, 422)
    assert.deepEqual((await world.get(configMaps, 'a')).body['data'], { x: '2', z: '1' })
    assert.equal((await world.patch(configMaps, 'a', 'json-patch+json', [{ op: 'remove', path: '/data/none' }])).status, 422)
    assert.equal((await world.patch(configMaps, 'a', 'json-patch+json', [{ op: 'remove', path: '/none/deeper' }])).status, 422)
    const set = accepted(
      await world.patch(configMaps, 'a', 'json-patch+json', [{ op: 'replace', path: '/data/none', value: '1' }]),
    )
    assert.equal(set.body['data']?.['none'], '1')
  })

  scenario('merge patch: null removes', async world => {
    accepted(await world.create(configMaps, { metadata: { name: 'a' }, data: { x: '1', y: '1' } }), 201)
    const reply = accepted(await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: null, z: '2' } }))
    assert.deepEqual(reply.body['data'], { y: '1', z: '2' })
  })

  scenario('strategic merge patch: finalizers are a set, taints one value', async world => {
    const name = world.unique('node')
    world.atEnd(async () => {
      await world.patch(nodes, name, 'merge-patch+json', { metadata: { finalizers: null } })
      await world.remove(nodes, name)
    })
    const taint = (key: string, value: string) => ({ key, value, effect: 'NoSchedule' })
    accepted(
      await world.create(nodes, { metadata: { name, finalizers: ['contract.test/a'] }, spec: { taints: [taint('a', '1')] } }),
      201,
    )
    const reply = accepted(
      await world.patch(nodes, name, 'strategic-merge-patch+json', {
        metadata: { finalizers: ['contract.test/b'] },
        spec: { taints: [taint('b', '1')] },
      }),
    )
    assert.deepEqual(reply.body['spec']?.['taints'], [taint('b', '1')])
    assert.deepEqual([...(metadataOf(reply).finalizers ?? [])].sort(), ['contract.test/a', 'contract.test/b'])
    const removed = accepted(
      await world.patch(nodes, name, 'strategic-merge-patch+json', {
        metadata: { '$deleteFromPrimitiveList/finalizers': ['contract.test/a'] },
      }),
    )
    assert.deepEqual(metadataOf(removed).finalizers, ['contract.test/b'])
  })

  scenario('defaults are filled in: a DaemonSet', async world => {
    const container = {
      ports: [{ containerPort: 1 }],
      env: [{ name: 'N', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    }
    const volumes = [
      { name: 'h', hostPath: { path: '/x' } },
      { name: 's', secret: { secretName: 'x' } },
    ]
    const reply = accepted(
      await world.create(daemonSets, daemonSet('a', { container, pod: { volumes, serviceAccountName: 'x' } })),
      201,
    )
    const { template: made, updateStrategy, revisionHistoryLimit } = reply.body['spec'] as unknown as Record<string, never>
    assert.deepEqual(updateStrategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } })
    assert.equal(revisionHistoryLimit, 10)
    assert.deepEqual(made?.['spec'], {
      nodeSelector: { 'contract.test/no-such-label': 'nowhere' },
      containers: [
        {
          name: 'a',
          image: 'registry.test/a:1',
          ports: [{ containerPort: 1, protocol: 'TCP' }],
          env: [{ name: 'N', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } }],
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'IfNotPresent',
        },
      ],
      volumes: [
        { name: 'h', hostPath: { path: '/x', type: '' } },
        { name: 's', secret: { secretName: 'x', defaultMode: 420 } },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'x',
      serviceAccount: 'x',
      securityContext: {},
      schedulerName: 'default-scheduler',
    })
  })

  scenario('defaults are filled in: a Job gets a selector with its uid', async world => {
    const spec = {
      template: {
        spec: {
          restartPolicy: 'Never',
          schedulerName: 'contract-nobody',
          containers: [{ name: 'a', image: 'registry.test/a:1' }],
        },
      },
    }
    const reply = accepted(await world.create(jobs, { metadata: { name: 'a' }, spec }), 201)
    const { uid = '' } = metadataOf(reply)
    const made = reply.body['spec'] as unknown as Record<string, never>
    assert.deepEqual(made['selector'], { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } })
    assert.deepEqual(made['template']?.['metadata']?.['labels'], {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'a',
      'controller-uid': uid,
      'job-name': 'a',
    })
    assert.equal(made['backoffLimit'], 6)
    assert.equal(made['completions'], 1)
    assert.equal(made['suspend'], false)
    const { template: _, selector: __, ...rest } = made
    assert.deepEqual(Object.keys(rest).sort(), [
      'backoffLimit',
      'completionMode',
      'completions',
      'manualSelector',
      'parallelism',
      'podReplacementPolicy',
      'suspend',
    ])
  })

  scenario('a new pod is Pending, a new namespace Active and labelled with its name', async world => {
    assert.equal(accepted(await world.create(pods, pod('a')), 201).body['status']?.['phase'], 'Pending')
    const namespace = accepted(await world.get(namespaces, world.namespace))
    assert.equal(namespace.body['status']?.['phase'], 'Active')
    assert.equal(metadataOf(namespace).labels?.['kubernetes.io/metadata.name'], world.namespace)
  })

  scenario('dryRun answers as if, and stores nothing', async world => {
    accepted(await world.create(configMaps, { metadata: { name: 'a' } }, { dryRun: 'All' }), 201)
    refused(await world.get(configMaps, 'a'), 404, 'NotFound')
  })
}
