// Sets up a pod's volumes: paths of the node, ConfigMaps, Secrets, fields of the pod.
import { keyOf } from '../../../core/object.ts'
import type { ModelApi } from '../../api-server.ts'
import { createTree, makeDirectories, normalPath, type Tree } from '../files.ts'
import type { Mount } from '../mounts.ts'
import type { ContainerSpec, FieldRef, KeyToPath, PodObject, VolumeSource } from '../pod-spec.ts'

type Volume = { readonly tree: Tree; readonly root: string }

export type Volumes = {
  readonly byName: ReadonlyMap<string, Volume>
}

/** @returns the kubelet's words about the first volume that cannot be set up. */
export function setUpVolumes(pod: PodObject, host: Tree, api: ModelApi): Volumes | string {
  const byName = new Map<string, Volume>()
  for (const volume of pod.spec?.volumes ?? []) {
    const found = setUp(volume, pod, host, api)
    if (typeof found === 'string') return `MountVolume.SetUp failed for volume "${volume.name}" : ${found}`
    byName.set(volume.name, found)
  }
  return { byName }
}

function setUp(source: VolumeSource, pod: PodObject, host: Tree, api: ModelApi): Volume | string {
  if (source.hostPath !== undefined) return hostPath(normalPath(source.hostPath.path), source.hostPath.type ?? '', host)
  const tree = createTree()
  const failed = fill(tree, source, pod, api)
  return failed ?? { tree, root: '/' }
}

/** The checks of pkg/volume/hostpath: `''` checks nothing. */
function hostPath(path: string, type: string, host: Tree): Volume | string {
  const entry = host.get(path)
  const volume = { tree: host, root: path }
  switch (type) {
    case 'Directory':
      return entry?.kind === 'directory' ? volume : `hostPath type check failed: ${path} is not a directory`
    case 'File':
      return entry !== undefined && entry.kind !== 'directory' ? volume : `hostPath type check failed: ${path} is not a file`
    case 'DirectoryOrCreate':
      if (entry === undefined) makeDirectories(host, path)
      else if (entry.kind !== 'directory') return `hostPath type check failed: ${path} is not a directory`
      return volume
    case 'FileOrCreate':
      if (entry === undefined) host.put(path, { kind: 'text', text: '' })
      return volume
    case 'Socket':
    case 'CharDevice':
    case 'BlockDevice': {
      const words = { Socket: 'a socket file', CharDevice: 'a character device', BlockDevice: 'a block device' }[type]
      return entry?.kind === 'device' ? volume : `hostPath type check failed: ${path} is not ${words}`
    }
    default:
      // The runtime makes a missing path as a directory.
      if (entry === undefined) makeDirectories(host, path)
      return volume
  }
}

/** @returns what is wrong with the source. */
function fill(tree: Tree, source: VolumeSource, pod: PodObject, api: ModelApi): string | undefined {
  const { namespace = '' } = pod.metadata
  if (source.configMap !== undefined) {
    const { name = '', items, optional } = source.configMap
    const data = dataOf(api, 'ConfigMap', namespace, name)
    return fillFromData(tree, data, items, optional === true, `configmap "${name}" not found`)
  }
  if (source.secret !== undefined) {
    const { secretName, name = secretName ?? '', items, optional } = source.secret
    const data = dataOf(api, 'Secret', namespace, name)
    return fillFromData(tree, data, items, optional === true, `secret "${name}" not found`)
  }
  for (const { path, fieldRef } of source.downwardAPI?.items ?? []) putFile(tree, path, fieldValue(pod, fieldRef))
  for (const part of source.projected?.sources ?? []) {
    const failed = fill(tree, part, pod, api)
    if (failed !== undefined) return failed
  }
  return undefined
}

function fillFromData(
  tree: Tree,
  data: ReadonlyMap<string, string> | undefined,
  items: readonly KeyToPath[] | undefined,
  isOptional: boolean,
  missing: string,
): string | undefined {
  if (data === undefined) return isOptional ? undefined : missing
  for (const { key, path } of items ?? [...data.keys()].map(name => ({ key: name, path: name }))) {
    const value = data.get(key)
    if (value !== undefined) putFile(tree, path, value)
    else if (!isOptional) return `references non-existent config key: ${key}`
  }
  return undefined
}

/** Decoded content of a ConfigMap or Secret. */
export function dataOf(
  api: ModelApi,
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
  name: string,
): ReadonlyMap<string, string> | undefined {
  const resource = { apiVersion: 'v1', kind, plural: kind === 'Secret' ? 'secrets' : 'configmaps', namespaced: true }
  const found = api.get(resource, keyOf({ metadata: { namespace, name } })) as
    | { readonly data?: Readonly<Record<string, string>> }
    | undefined
  if (found === undefined) return undefined
  const decode = (value: string) => (kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value)
  return new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, decode(value)]))
}

function putFile(tree: Tree, path: string, text: string): void {
  const full = normalPath(`/${path}`)
  makeDirectories(tree, normalPath(`${full}/..`))
  tree.put(full, { kind: 'text', text })
}

/** The fields that the downward API knows and that are used here. */
export function fieldValue(pod: PodObject, fieldRef: FieldRef | undefined): string {
  const path = fieldRef?.fieldPath ?? ''
  const [, map, key = ''] = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(path) ?? []
  if (map === 'annotations') return pod.metadata.annotations?.[key] ?? ''
  if (map === 'labels') return pod.metadata.labels?.[key] ?? ''
  const values: Readonly<Record<string, string | undefined>> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec?.nodeName,
    'spec.serviceAccountName': pod.spec?.serviceAccountName,
  }
  return values[path] ?? ''
}

/** The mounts of one container. Every mounted directory exists in the container, whatever the image holds. */
export function mountsOf(spec: ContainerSpec, volumes: Volumes): readonly Mount[] {
  return (spec.volumeMounts ?? []).flatMap(mount => {
    const volume = volumes.byName.get(mount.name)
    if (volume === undefined) return []
    const root = mount.subPath === undefined || mount.subPath === '' ? volume.root : normalPath(`${volume.root}/${mount.subPath}`)
    if (volume.tree.get(root) === undefined) makeDirectories(volume.tree, root)
    return [
      {
        path: normalPath(mount.mountPath),
        tree: volume.tree,
        root,
        access: mount.readOnly === true ? ('read-only' as const) : ('read-write' as const),
      },
    ]
  })
}
