// Problems of a node, and the order in which things happen on it.
import { entry, type OnNode, passing } from './problem-entry.ts'

export const nodeProblems = {
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
  WaitingForOtherModule: passing(
    (p: OnNode & { other: string; pod: string }) =>
      `node ${p.node} waits for Module ${p.other} to unload a kernel module that Module ${p.module} loads too (pod ${p.pod})`,
    'Nothing, unless it takes long: then stop what uses the driver of Module OTHER.',
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
  DriverOnUnselectedNode: entry(
    'on-change',
    (p: OnNode & { daemonSet: string; label: string }) =>
      `the driver of Module ${p.module} stays loaded on node ${p.node}, which the Module does not select: DaemonSet ${p.daemonSet} has an older selector`,
    'Where the node has a version label, take it away: kubectl label node NODE LABEL-. Otherwise delete DaemonSet DAEMON_SET, which unloads the driver from all nodes that it serves.',
  ),
  RolloutStopped: entry(
    'on-change',
    (p: { module: string; nodes: string; left: number }) =>
      `the change of Module ${p.module} is stopped with ${p.left} node(s) left: the new driver does not load on ${p.nodes}`,
    'Correct the Module (a new change is rolled out to the failed nodes first), or the failed nodes.',
  ),
}
