// How Kubernetes' own kinds merge under server-side apply. Source: the x-kubernetes-list-type, -list-map-keys and -map-type
// marks in the OpenAPI document of Kubernetes 1.36 (api/openapi-spec/swagger.json). Lists that are not named are atomic.
import { atomicShape, plainShape, type Shape } from './shape.ts'

const map: Shape = { values: plainShape }
const set: Shape = { set: 'set' }
const byKeys = (
  keys: readonly string[],
  items: Shape = plainShape,
  keyDefaults: Readonly<Record<string, unknown>> = {},
): Shape => ({
  keys,
  items,
  keyDefaults,
})

export const metadataShape: Shape = {
  fields: { labels: map, annotations: map, finalizers: set, ownerReferences: byKeys(['uid'], atomicShape) },
}

/** Adds the metadata of every object to the fields of a kind. */
export const objectShape = (fields: Readonly<Record<string, Shape>>): Shape => ({
  fields: { metadata: metadataShape, ...fields },
})

const resources: Shape = { fields: { limits: map, requests: map, claims: byKeys(['name']) } }

const valueFrom: Shape = {
  fields: {
    configMapKeyRef: atomicShape,
    secretKeyRef: atomicShape,
    fieldRef: atomicShape,
    resourceFieldRef: atomicShape,
    fileKeyRef: atomicShape,
  },
}

const container: Shape = {
  fields: {
    env: byKeys(['name'], { fields: { valueFrom } }),
    ports: byKeys(['containerPort', 'protocol'], plainShape, { protocol: 'TCP' }),
    volumeMounts: byKeys(['mountPath']),
    volumeDevices: byKeys(['devicePath']),
    resources,
  },
}

const volume: Shape = {
  fields: {
    csi: { fields: { volumeAttributes: map, nodePublishSecretRef: atomicShape } },
    ephemeral: { fields: { volumeClaimTemplate: { fields: { metadata: metadataShape } } } },
  },
}

const podSpec: Shape = {
  fields: {
    containers: byKeys(['name'], container),
    initContainers: byKeys(['name'], container),
    ephemeralContainers: byKeys(['name'], container),
    volumes: byKeys(['name'], volume),
    imagePullSecrets: byKeys(['name'], atomicShape),
    hostAliases: byKeys(['ip']),
    nodeSelector: atomicShape,
    overhead: map,
    resourceClaims: byKeys(['name']),
    schedulingGates: byKeys(['name']),
    topologySpreadConstraints: byKeys(['topologyKey', 'whenUnsatisfiable'], { fields: { labelSelector: atomicShape } }),
    affinity: { fields: { nodeAffinity: { fields: { requiredDuringSchedulingIgnoredDuringExecution: atomicShape } } } },
    resources,
  },
}

const template: Shape = { fields: { metadata: metadataShape, spec: podSpec } }
const conditions = byKeys(['type'])

export const shapes = {
  plain: objectShape({}),
  namespace: objectShape({ status: { fields: { conditions } } }),
  node: objectShape({
    spec: { fields: { podCIDRs: set } },
    status: { fields: { conditions, addresses: byKeys(['type']), capacity: map, allocatable: map } },
  }),
  pod: objectShape({
    spec: podSpec,
    status: { fields: { conditions, podIPs: byKeys(['ip']), resourceClaimStatuses: byKeys(['name']) } },
  }),
  data: objectShape({ data: map, binaryData: map, stringData: map }),
  serviceAccount: objectShape({ secrets: byKeys(['name'], atomicShape) }),
  event: objectShape({ involvedObject: atomicShape, related: atomicShape }),
  service: objectShape({
    spec: { fields: { selector: atomicShape, ports: byKeys(['port', 'protocol'], plainShape, { protocol: 'TCP' }) } },
    status: { fields: { conditions } },
  }),
  workload: objectShape({ spec: { fields: { selector: atomicShape, template } }, status: { fields: { conditions } } }),
  /** The conditions of a Job are an atomic list. */
  job: objectShape({ spec: { fields: { selector: atomicShape, template } } }),
  crd: objectShape({ status: { fields: { conditions } } }),
  role: objectShape({ roleRef: atomicShape }),
  webhooks: objectShape({
    webhooks: byKeys(['name'], { fields: { namespaceSelector: atomicShape, objectSelector: atomicShape } }),
  }),
}
