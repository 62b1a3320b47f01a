// The catalogue of problems: code -> sentence, what to do, retry rule. Order: from the Module, over the image, to the node.

type Retry = 'on-change' | 'backoff'
type Entry = { readonly retry: Retry; readonly todo: string; readonly text: (p: never) => string; readonly passing: boolean }
type OnKernel = { module: string; kernel: string }
type OnNode = { module: string; node: string }
type Words = { words: string }

const entry = <P extends object>(retry: Retry, text: (p: P) => string, todo: string) => ({ retry, text, todo, passing: false })
/** A state on the way to a better one: it ends by itself, nobody has to do anything. */
const passing = <P extends object>(text: (p: P) => string, todo: string) => ({
  retry: 'on-change' as Retry,
  text,
  todo,
  passing: true,
})
const quote = (words: string) => (words === '' ? '' : `: ${words}`)

export const problemTexts = {
  // The Module
  RuleViolated: entry(
    'on-change',
    (p: { module: string; rule: string }) => `Module ${p.module} breaks a rule: ${p.rule}`,
    'Correct the Module; until then nothing is changed for it and nothing is unloaded. `kmm validate` lists all rules it breaks.',
  ),
  Paused: entry(
    'on-change',
    (p: { module: string }) => `Module ${p.module} is paused: nothing is changed, replaced or removed for it`,
    'To go on, run `kmm resume MODULE` or remove the annotation kmm.sigs.x-k8s.io/paused.',
  ),
  OldDaemonSetPresent: passing(
    (p: { module: string; daemonSet: string }) =>
      `Module ${p.module} was deleted and made again, and DaemonSet ${p.daemonSet} of the deleted one is still there`,
    'Wait until garbage collection has removed it; if it stays, look for its finalizers.',
  ),
  TwinDaemonSet: entry(
    'on-change',
    (p: { module: string; daemonSet: string; other: string }) =>
      `DaemonSet ${p.other} of Module ${p.module} does the same as DaemonSet ${p.daemonSet}; it is left as it is`,
    'Delete DaemonSet OTHER when its pods may unload the driver from their nodes; those of DaemonSet DAEMON_SET load it again.',
  ),
  ModuleNameTaken: entry(
    'on-change',
    (p: OnKernel & { kernelModule: string; other: string }) =>
      `Module ${p.module} names the kernel module ${p.kernelModule}, which Module ${p.other} already holds on nodes with kernel ${p.kernel}`,
    'Let only one Module name this kernel module for these nodes: change the selector, moduleName or modulesLoadingOrder of one of them.',
  ),
  // The kernel and the image
  NoKernelMapping: entry(
    'on-change',
    (p: OnKernel) => `no kernel mapping of Module ${p.module} matches kernel ${p.kernel}`,
    'Add a mapping with this kernel as literal, or a regexp that matches it, or narrow the selector.',
  ),
  KernelMappingLost: entry(
    'on-change',
    (p: OnKernel & { image: string; nodes: number; daemonSet: string }) =>
      `no kernel mapping of Module ${p.module} matches kernel ${p.kernel} any more; the driver of ${p.image} stays loaded on ${p.nodes} node(s)`,
    'Restore the mapping to manage these nodes again. To unload on purpose, delete DaemonSet DAEMON_SET, or narrow the selector.',
  ),
  KernelsAlike: entry(
    'on-change',
    (p: OnKernel & { other: string }) =>
      `kernel ${p.kernel} has the same label value as kernel ${p.other} of other nodes that Module ${p.module} selects, so only the latter get the driver`,
    'Narrow the selector to the nodes with one of the two kernels, or give one kernel another local version.',
  ),
  MappingInvalid: entry(
    'on-change',
    (p: OnKernel & { error: string }) =>
      `the kernel mappings of Module ${p.module} cannot be evaluated for kernel ${p.kernel}: ${p.error}`,
    'Correct the mapping that the sentence names.',
  ),
  ImageUnknown: {
    ...entry(
      'backoff',
      (p: OnKernel & { image: string }) =>
        `it is not yet known whether image ${p.image} for kernel ${p.kernel} of Module ${p.module} exists`,
      'Wait for the registry to answer. If this stays, check that the operator reaches the registry.',
    ),
    passing: true,
  },
  ImageMissing: entry(
    'backoff',
    (p: OnKernel & { image: string }) =>
      `image ${p.image} for kernel ${p.kernel} of Module ${p.module} does not exist, and this version of KMM cannot build or sign it yet`,
    'Build, sign and push the image yourself, or correct containerImage.',
  ),
  // The pod
  PodsRefused: entry(
    'backoff',
    (p: { module: string; namespace: string; serviceAccount: string; words: string }) =>
      `the cluster refuses the pods of Module ${p.module} in namespace ${p.namespace} (service account ${p.serviceAccount})${quote(p.words)}`,
    'Create the service account if it is missing. On OKD: oc adm policy add-scc-to-user privileged -z SERVICE_ACCOUNT -n NAMESPACE. On plain Kubernetes: kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged. For a quota: raise it.',
  ),
  PodUnschedulable: entry(
    'backoff',
    (p: OnNode & Words) => `the loader pod of Module ${p.module} cannot be scheduled on node ${p.node}${quote(p.words)}`,
    'Free the resource or add the toleration that the sentence names.',
  ),
  PodNotMounted: entry(
    'backoff',
    (p: OnNode & Words) =>
      `the volumes of the loader pod of Module ${p.module} cannot be mounted on node ${p.node}${quote(p.words)}`,
    'Make sure that the node has /lib/modules/KERNEL as a directory and that the named volumes exist.',
  ),
  PodNotStarted: entry(
    'backoff',
    (p: OnNode & Words) => `the loader pod of Module ${p.module} cannot be started on node ${p.node}${quote(p.words)}`,
    'Correct what the container runtime of the node complains about.',
  ),
  ImageNotPulled: entry(
    'backoff',
    (p: OnNode & Words & { image: string }) =>
      `node ${p.node} cannot pull image ${p.image} of Module ${p.module}${quote(p.words)}`,
    'Push the image, correct its name in the mapping, or give imageRepoSecret a secret that may pull it.',
  ),
  // The hook
  NoShellInImage: entry(
    'on-change',
    (p: OnNode & { image: string }) =>
      `image ${p.image} of Module ${p.module} has no /bin/sh, so nothing can be loaded on node ${p.node}`,
    'Build the image from a base that has /bin/sh, modprobe (of kmod, not busybox) and sleep.',
  ),
  NoModprobeInImage: entry(
    'on-change',
    (p: OnNode & { image: string }) =>
      `image ${p.image} of Module ${p.module} has no modprobe, so nothing can be loaded on node ${p.node}`,
    'Install kmod in the image.',
  ),
  KeyRejected: entry(
    'on-change',
    (p: OnNode & Words) => `the kernel of node ${p.node} does not trust the signature of Module ${p.module}${quote(p.words)}`,
    'Sign the module with a key that is enrolled on the node (mokutil --list-enrolled), or enroll its certificate (mokutil --import) and reboot.',
  ),
  ModuleNotFound: entry(
    'on-change',
    (p: OnNode & Words & { image: string; kernel: string }) =>
      `image ${p.image} of Module ${p.module} holds no such module for kernel ${p.kernel} of node ${p.node}${quote(p.words)}`,
    'Put the .ko under DIRNAME/lib/modules/KERNEL of the image and run `depmod -b DIRNAME KERNEL` at the end of its build.',
  ),
  UnknownSymbol: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the driver of Module ${p.module} needs a symbol that the kernel of node ${p.node} does not have${quote(p.words)}`,
    'Build it against this very kernel, and ship the modules it depends on in the image (run depmod).',
  ),
  FirmwareMissing: entry(
    'on-change',
    (p: OnNode & Words) => `the driver of Module ${p.module} did not find its firmware on node ${p.node}${quote(p.words)}`,
    'Put the file under modprobe.firmwarePath in the image, and let the kernel look in /var/lib/firmware (firmware_class.path).',
  ),
  FirmwarePathDiffers: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the kernel of node ${p.node} looks for firmware in another directory than Module ${p.module} may use${quote(p.words)}`,
    'Take firmware_class.path from the kernel command line of the node, or give the setting firmwareClassPath the same value.',
  ),
  UnknownSymbolOrFirmware: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the driver of Module ${p.module} needs a symbol or a firmware file that node ${p.node} does not have${quote(p.words)}`,
    'Look at `dmesg` on the node: it names the symbol (build against this kernel, ship its dependencies) or the firmware file (set modprobe.firmwarePath).',
  ),
  WrongFormat: entry(
    'on-change',
    (p: OnNode & Words & { kernel: string }) =>
      `the driver of Module ${p.module} was built for another kernel than ${p.kernel} of node ${p.node}${quote(p.words)}`,
    'Build it against the headers of this very kernel; compare `modinfo -F vermagic` with `uname -r`.',
  ),
  InTreeTwinLoaded: entry(
    'on-change',
    (p: OnNode & Words) =>
      `another module with the same name is already in the kernel of node ${p.node}, so Module ${p.module} cannot be loaded${quote(p.words)}`,
    'Set inTreeModuleToRemove to the module that has to go, or keep the in-tree one from loading at boot.',
  ),
  NotPermitted: entry(
    'on-change',
    (p: OnNode & Words) => `the loader of Module ${p.module} may not load modules on node ${p.node}${quote(p.words)}`,
    'Let its pods have CAP_SYS_MODULE (service account, SCC, seccomp), and see whether the kernel is locked down.',
  ),
  LoadFailed: entry(
    'backoff',
    (p: OnNode & Words) => `loading Module ${p.module} failed on node ${p.node}${quote(p.words)}`,
    'The words are those of modprobe and of the kernel; `dmesg` on the node may say more.',
  ),
  StillLoaded: entry(
    'on-change',
    (p: OnNode & Words & { pod: string }) =>
      `the old driver of Module ${p.module} is still loaded on node ${p.node}: its unload failed (pod ${p.pod})${quote(p.words)}`,
    'Stop what uses the driver, then reboot the node, or unload it by hand and run `kmm release NODE MODULE`. Until then nothing newer is started there.',
  ),
  // The node and its order
  NodeNotReady: passing(
    (p: OnNode) => `node ${p.node} is not ready, so the state of Module ${p.module} on it is not known`,
    'Bring the node back; nothing is changed on it until then.',
  ),
  NodeTainted: entry(
    'on-change',
    (p: OnNode & { taint: string }) => `node ${p.node} has the taint ${p.taint}, which Module ${p.module} does not tolerate`,
    'Add the toleration to spec.tolerations, or leave the node out of the selector.',
  ),
  WaitingForVersionLabel: entry(
    'on-change',
    (p: OnNode & { label: string; version: string; found: string }) =>
      `node ${p.node} waits for its label ${p.label}=${p.version} (now: ${p.found}) before Module ${p.module} is loaded`,
    'When the node is ready for this version: kubectl label --overwrite node NODE LABEL=VERSION.',
  ),
  WaitingForPluginToStop: passing(
    (p: OnNode) => `node ${p.node} waits for the device plugin of Module ${p.module} to stop before the driver is unloaded`,
    'Nothing, unless it takes long: then see why the device-plugin pod does not end.',
  ),
  WaitingForOldDriver: passing(
    (p: OnNode & { pod: string }) =>
      `node ${p.node} waits for the old loader pod ${p.pod} of Module ${p.module} to unload its driver`,
    'Nothing, unless it takes long: then stop what uses the driver.',
  ),
  Loading: passing((p: OnNode) => `the driver of Module ${p.module} is being loaded on node ${p.node}`, 'Nothing: wait for it.'),
  Unloading: passing(
    (p: OnNode) => `the driver of Module ${p.module} is being unloaded on node ${p.node}`,
    'Nothing: wait for it.',
  ),
  Outdated: passing(
    (p: OnNode) => `node ${p.node} still runs the driver from before the last change of Module ${p.module}`,
    'Nothing: it is replaced when its turn comes (spec.moduleLoader.maxUnavailable).',
  ),
  RolloutStopped: entry(
    'on-change',
    (p: { module: string; nodes: string; left: number }) =>
      `the change of Module ${p.module} is stopped with ${p.left} node(s) left: the new driver does not load on ${p.nodes}`,
    'Correct the Module (a new change is rolled out to the failed nodes first), or the failed nodes.',
  ),
} as const satisfies Record<string, Entry>

export type ProblemCode = keyof typeof problemTexts
export type ProblemParams<C extends ProblemCode> = Parameters<(typeof problemTexts)[C]['text']>[0]
