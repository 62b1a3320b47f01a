// Names of the floor: nothing that KMM knows, so that the two never meet.

/** User agent and field manager. */
export const floorAgent = 'bench-floor'
/** On a floor's pods: the name of their DaemonSet. */
export const floorDaemonSet = 'floor.example.com/daemon-set'
export const floorKernelLabel = 'floor.example.com/kernel'
export const floorReadyLabel = (daemonSet: string): string => `floor.example.com/${daemonSet}.ready`
