// Server-side apply takes away what we stated before and state no more; managedFields say what that was. Objects from files mostly have
// no managedFields (kubectl leaves them out), so here it is told from what only KMM writes.
import { labels } from '../../core/names.ts'
import type { KubeObject } from '../../core/object.ts'

/** A field of the object as seen that is KMM's own and that the stated object leaves out; undefined if there is none. */
export function firstGivenUp(stated: KubeObject, seen: KubeObject): string | undefined {
  const label = Object.keys(seen.metadata.labels ?? {}).find(name => isOurs(name) && stated.metadata.labels?.[name] === undefined)
  if (label !== undefined) return `.metadata.labels.${label}`
  // The whole spec of a DaemonSet is ours, for we make them; of a Node nothing but labels is.
  return stated.kind === 'DaemonSet' ? firstLeftOut(specOf(stated), specOf(seen), '.spec') : undefined
}

const specOf = (object: KubeObject): unknown => (object as { readonly spec?: unknown }).spec

const [domain = ''] = labels.moduleName.split('/')
const isOurs = (label: string): boolean =>
  (label.startsWith(`${domain}/`) || label.startsWith(`beta.${domain}/`)) && !label.startsWith(`${domain}/version-module.`)

type Map = Readonly<Record<string, unknown>>
const isMap = (value: unknown): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value)

function firstLeftOut(stated: unknown, seen: unknown, path: string): string | undefined {
  if (Array.isArray(stated) && Array.isArray(seen)) {
    for (const [index, item] of seen.entries()) {
      const found = firstLeftOut(stated[index], item, `${path}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isMap(stated) || !isMap(seen)) return undefined
  for (const [field, value] of Object.entries(seen)) {
    if (isEmpty(value)) continue
    const found = isEmpty(stated[field])
      ? isFilledIn(field, value)
        ? undefined
        : `${path}.${field}`
      : firstLeftOut(stated[field], value, `${path}.${field}`)
    if (found !== undefined) return found
  }
  return undefined
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return isMap(value) && Object.values(value).every(isEmpty)
}

// What the API server fills in. Source: defaults of apps/v1 DaemonSet and core/v1 PodSpec, Container, EnvVar, Volume.
const anyValue = new Set(['imagePullPolicy', 'serviceAccount', 'creationTimestamp', 'rollingUpdate'])
const filledIn: Readonly<Record<string, unknown>> = {
  revisionHistoryLimit: 10,
  minReadySeconds: 0,
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  terminationGracePeriodSeconds: 30,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  defaultMode: 420,
  apiVersion: 'v1',
  protocol: 'TCP',
  divisor: '0',
  expirationSeconds: 3600,
}

function isFilledIn(field: string, value: unknown): boolean {
  if (field === 'updateStrategy') return isMap(value) && value['type'] === 'RollingUpdate'
  return anyValue.has(field) || filledIn[field] === value
}
