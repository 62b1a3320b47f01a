// A machine of the cluster: its kernel, its disk, its kubelet, and what can happen to it.
import { type KubeObject, keyOf } from '../../core/object.ts'
import { nodes, pods } from '../../core/resources.ts'
import type { ModelApi } from '../api-server.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { attempt } from './events.ts'
import { createLayer, createTree, type KernelObject, makeDirectories } from './files.ts'
import { moduleFiles } from './images.ts'
import { bootKernel, type ModelKernel } from './kernel.ts'
import { kernelProcTree, kernelSysTree } from './kernel-files.ts'
import { createKubelet, type Kubelet } from './kubelet/kubelet.ts'
import type { KubeletSpeeds, StartedContainers } from './kubelet/kubelet-core.ts'
import { createFileView, type FileView, treeOf } from './mounts.ts'
import { bootIdOf } from './names.ts'
import type { NodeLifecycle } from './node-lifecycle.ts'
import { asNode, asPod } from './pod-spec.ts'
import type { ModelRegistry } from './registry.ts'
import type { Program } from './surroundings.ts'

/** A module that comes with the node's kernel; `loaded`: from boot on. */
export type HostModule = Omit<KernelObject, 'kind' | 'kernel' | 'inTree'> & { readonly loaded?: true }

export type NodeOptions = {
  readonly name: string
  readonly kernel: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly enforceSignatures?: boolean
  readonly trustedKeys?: readonly string[]
  readonly hostModules?: readonly HostModule[]
  /** Files below /lib/firmware. */
  readonly hostFirmware?: readonly string[]
  /** Value of the kernel argument firmware_class.path. */
  readonly firmwareClassPath?: string
  /** `restricted`: kernel.dmesg_restrict=1, the log needs CAP_SYSLOG. Default `open`. */
  readonly kernelLog?: 'open' | 'restricted'
  /** Setting of the kubelet. Default 110. */
  readonly maxPods?: number
  /** false: registers, but stays NotReady until `setReady(true)`. */
  readonly ready?: boolean
}

export type Reboot = {
  readonly kernel?: string
  /** Whether the directory of the old kernel's modules goes, as on image-based systems. Default `keep`. */
  readonly oldModules?: 'keep' | 'drop'
}

export type ModelNode = {
  readonly name: string
  /** The running kernel; another one after each boot. */
  readonly kernel: ModelKernel
  /** The node's own file system. */
  readonly files: FileView
  /** Off for the boot time, then back, perhaps with another kernel. */
  reboot(options?: Reboot): void
  powerOff(): void
  powerOn(options?: Reboot): void
  /** The network between kubelet and API server is cut; containers go on. */
  silence(): void
  restore(): void
  restartKubelet(): void
  /** The containers of the pod (`namespace/name`) die, as when memory runs out; the kubelet starts them again. */
  killContainers(pod: string): void
  /** Somebody deletes the Node object; the machine goes on, and registers again when its kubelet is restarted (`restartKubelet`). */
  unregister(): void
  setReady(ready: boolean): void
  /** Somebody uses the module, so that it cannot be unloaded; survives until released or rebooted. */
  hold(module: string): void
  releaseHold(module: string): void
  cordon(): void
  uncordon(): void
  /** As `kubectl drain --ignore-daemonsets --force`: cordons, deletes the pods that no DaemonSet owns. */
  drain(): void
  /** The machine is taken out of the cluster: no more kubelet, the Node object is deleted. */
  remove(): void
}

/** What a node needs of the cluster it is in. */
type NodeContext = {
  readonly api: ModelApi
  readonly clock: VirtualClock
  readonly registry: ModelRegistry
  readonly lifecycle: NodeLifecycle
  readonly speeds: KubeletSpeeds
  readonly startedContainers: StartedContainers
  readonly programs: ReadonlyMap<string, Program>
  removed(name: string): void
}

export function createNode(
  context: NodeContext,
  options: NodeOptions,
  incarnation: number,
): { readonly node: ModelNode; readonly kubelet: Kubelet } {
  const { api, clock, lifecycle } = context
  const { name } = options
  let boots = 0
  let isSilent = false
  let isOn = true
  let isGone = false
  const root = createTree(hostLayer(options))
  const addModules = (kernel: string) => {
    for (const [path, entry] of Object.entries(moduleFiles('/', kernel, inTreeModules(options, kernel), 'kernel'))) {
      makeDirectories(root, path.slice(0, path.lastIndexOf('/')))
      root.put(path, entry)
    }
  }
  const boot = (release: string): ModelKernel => {
    const booted = bootKernel({
      release,
      bootId: bootIdOf(`${name} ${incarnation} ${boots++}`),
      clock,
      signatures: options.enforceSignatures === true ? 'enforced' : 'not enforced',
      trustedKeys: options.trustedKeys ?? [],
      firmwareClassPath: options.firmwareClassPath ?? '',
    })
    addModules(release)
    for (const module of inTreeModules(options, release)) {
      const isLoaded = options.hostModules?.some(host => host.name === module.name && host.loaded === true)
      if (isLoaded === true) booted.insert(module, '', undefined, () => true)
    }
    return booted
  }
  let kernel = boot(options.kernel)
  const files = createFileView([
    { path: '/', tree: root, root: '/', access: 'read-write' },
    { path: '/proc', tree: kernelProcTree(() => kernel), root: '/', access: 'read-write' },
    { path: '/sys', tree: kernelSysTree(() => kernel), root: '/', access: 'read-write' },
  ])
  /** Where request_firmware looks, in this order (drivers/base/firmware_loader/main.c). */
  const hasFirmware = (file: string): boolean => {
    const standard = [
      `/lib/firmware/updates/${kernel.release}`,
      '/lib/firmware/updates',
      `/lib/firmware/${kernel.release}`,
      '/lib/firmware',
    ]
    const paths = kernel.firmwareClassPath === '' ? standard : [kernel.firmwareClassPath, ...standard]
    return paths.some(path => {
      const entry = root.get(`${path}/${file}`)
      return entry !== undefined && entry.kind !== 'directory'
    })
  }
  const kubelet = createKubelet({
    api,
    clock,
    registry: context.registry,
    speeds: context.speeds,
    labels: options.labels ?? {},
    taints: options.taints ?? [],
    startedContainers: context.startedContainers,
    machine: {
      name,
      kernel: () => kernel,
      hostTree: treeOf(files),
      maxPods: options.maxPods ?? 110,
      kernelLog: options.kernelLog ?? 'open',
      programs: context.programs,
      hasFirmware,
    },
  })

  const hear = () => {
    if (isOn && !isSilent) lifecycle.isHeard(name)
    else lifecycle.wentSilent(name)
  }
  const powerOff = () => {
    if (!isOn) return
    isOn = false
    kubelet.powerOff()
    hear()
  }
  const powerOn = ({ kernel: next = kernel.release, oldModules = 'keep' }: Reboot = {}) => {
    if (isOn || isGone) return
    isOn = true
    const old = kernel.release
    kernel = boot(next)
    if (oldModules === 'drop' && old !== next) removeAll(files, `/lib/modules/${old}`)
    hear()
    kubelet.boot()
  }
  const setUnschedulable = (unschedulable: boolean) => {
    const change = (object: KubeObject): KubeObject => {
      const { unschedulable: _, ...spec } = asNode(object).spec ?? {}
      return { ...object, spec: unschedulable ? { ...spec, unschedulable } : spec } as KubeObject
    }
    attempt(() => api.update(nodes, name, change, 'kubectl'))
  }

  const node: ModelNode = {
    name,
    get kernel() {
      return kernel
    },
    files,
    reboot(reboot = {}) {
      powerOff()
      clock.after(context.speeds.bootMs, () => powerOn(reboot))
    },
    powerOff,
    powerOn,
    silence() {
      isSilent = true
      kubelet.disconnect()
      hear()
    },
    restore() {
      isSilent = false
      hear()
      kubelet.connect()
    },
    restartKubelet: () => kubelet.restart(),
    killContainers: pod => kubelet.killContainers(api.get(pods, pod)?.metadata.uid ?? ''),
    unregister() {
      attempt(() => api.remove(nodes, name))
    },
    setReady: ready => kubelet.setReady(ready),
    hold: module => kernel.hold(module),
    releaseHold: module => kernel.releaseHold(module),
    cordon: () => setUnschedulable(true),
    uncordon: () => setUnschedulable(false),
    drain() {
      setUnschedulable(true)
      for (const object of Array.from(api.by(pods, 'spec.nodeName', name))) {
        const isDaemon = asPod(object).metadata.ownerReferences?.some(owner => owner.kind === 'DaemonSet') === true
        if (!isDaemon) attempt(() => api.remove(pods, keyOf(object)))
      }
    },
    remove() {
      isOn = false
      isGone = true
      kubelet.end()
      lifecycle.isHeard(name)
      context.removed(name)
      attempt(() => api.remove(nodes, name))
    },
  }
  return { node, kubelet }
}

const inTreeModules = (options: NodeOptions, kernel: string): KernelObject[] =>
  (options.hostModules ?? []).map(({ loaded: _loaded, ...module }) => ({ kind: 'ko', kernel, inTree: true, ...module }))

function hostLayer(options: NodeOptions) {
  const folders = ['/lib/firmware', '/var/lib/kubelet/device-plugins', '/etc', '/tmp', '/run', '/dev', '/usr/bin']
  const firmware = (options.hostFirmware ?? []).map(
    path => [`/lib/firmware/${path}`, { kind: 'text', text: path } as const] as const,
  )
  return createLayer({
    ...Object.fromEntries(folders.map(path => [path, { kind: 'directory' } as const])),
    ...Object.fromEntries(firmware),
  })
}

function removeAll(files: FileView, path: string): void {
  for (const child of files.list(path) ?? []) removeAll(files, `${path}/${child}`)
  files.remove(path)
}
