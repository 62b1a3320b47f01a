// Types of the fields that planners read, by kind. Source: the API reference of core/v1, apps/v1 and batch/v1.
import type { Shape } from './shape.ts'

const strings: Shape = { '*': 'string' }
const conditions: Shape = [
  {
    'type!': 'string',
    'status!': 'string',
    reason: 'string',
    message: 'string',
    lastTransitionTime: 'time',
    lastHeartbeatTime: 'time',
  },
]

export const metadataShape: Shape = {
  'name!': 'string',
  namespace: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'integer',
  creationTimestamp: 'time',
  deletionTimestamp: 'time',
  deletionGracePeriodSeconds: 'integer',
  labels: strings,
  annotations: strings,
  finalizers: ['string'],
  ownerReferences: [
    {
      'apiVersion!': 'string',
      'kind!': 'string',
      'name!': 'string',
      uid: 'string',
      controller: 'boolean',
      blockOwnerDeletion: 'boolean',
    },
  ],
  managedFields: [{ manager: 'string', operation: 'string', subresource: 'string', time: 'time', fieldsV1: 'map' }],
}

const tolerations: Shape = [
  { key: 'string', operator: 'string', value: 'string', effect: 'string', tolerationSeconds: 'integer' },
]
const containers: Shape = [
  {
    'name!': 'string',
    image: 'string',
    command: ['string'],
    args: ['string'],
    env: [{ 'name!': 'string' }],
    volumeMounts: ['map'],
    lifecycle: 'map',
  },
]
const podSpec: Shape = {
  nodeName: 'string',
  nodeSelector: strings,
  serviceAccountName: 'string',
  tolerations,
  containers,
  initContainers: containers,
  volumes: [{ 'name!': 'string' }],
  imagePullSecrets: ['map'],
  affinity: 'map',
  terminationGracePeriodSeconds: 'integer',
}
const templateMetadata: Shape = { labels: strings, annotations: strings, finalizers: ['string'] }
const containerState: Shape = {
  waiting: { reason: 'string', message: 'string' },
  running: { startedAt: 'time' },
  terminated: { 'exitCode!': 'integer', reason: 'string', message: 'string', startedAt: 'time', finishedAt: 'time' },
}
const containerStatuses: Shape = [
  {
    'name!': 'string',
    ready: 'boolean',
    restartCount: 'integer',
    image: 'string',
    state: containerState,
    lastState: containerState,
  },
]

/** Beside apiVersion, kind and metadata, which every kind has. */
export const kindShapes: Readonly<Record<string, Shape>> = {
  Module: { 'spec!': 'map', status: 'map' },
  Node: {
    spec: { taints: [{ 'key!': 'string', value: 'string', 'effect!': 'string', timeAdded: 'time' }], unschedulable: 'boolean' },
    status: { nodeInfo: strings, conditions },
  },
  Pod: {
    spec: podSpec,
    status: { phase: 'string', reason: 'string', message: 'string', startTime: 'time', conditions, containerStatuses },
  },
  DaemonSet: {
    spec: {
      selector: { matchLabels: strings },
      template: { metadata: templateMetadata, spec: podSpec },
      updateStrategy: { type: 'string' },
    },
    status: {
      observedGeneration: 'integer',
      desiredNumberScheduled: 'integer',
      currentNumberScheduled: 'integer',
      numberAvailable: 'integer',
      numberReady: 'integer',
      numberMisscheduled: 'integer',
      numberUnavailable: 'integer',
      updatedNumberScheduled: 'integer',
    },
  },
  Job: {
    spec: { template: { metadata: templateMetadata, spec: podSpec }, backoffLimit: 'integer', completions: 'integer' },
    status: { active: 'integer', succeeded: 'integer', failed: 'integer', conditions, startTime: 'time', completionTime: 'time' },
  },
  Event: {
    type: 'string',
    reason: 'string',
    message: 'string',
    count: 'integer',
    firstTimestamp: 'time',
    lastTimestamp: 'time',
    eventTime: 'time',
    involvedObject: { kind: 'string', namespace: 'string', name: 'string', uid: 'string', apiVersion: 'string' },
  },
  Secret: { type: 'string', data: strings, stringData: strings },
  ConfigMap: { data: strings, binaryData: strings },
  Namespace: { spec: 'map', status: { phase: 'string' } },
  ServiceAccount: { secrets: ['map'], imagePullSecrets: [{ name: 'string' }] },
  Build: { spec: 'map', status: { phase: 'string' } },
  CustomResourceDefinition: { 'spec!': 'map', status: { conditions } },
}

/** Every other kind: at least these are maps where they are there. */
export const anyKindShape: Shape = { spec: 'map', status: 'map' }
