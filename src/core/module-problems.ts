// Problems of the Module itself.
import { entry, type OnKernel, passing } from './problem-entry.ts'

export const moduleProblems = {
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
  BeingDeleted: passing(
    (p: { module: string; left: string }) =>
      `Module ${p.module} is being deleted; ${p.left === '' ? 'no loader of it is left' : `its loaders are still on ${p.left}`}`,
    'Nothing, unless it takes long: then see what is told of the nodes that are named.',
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
}
