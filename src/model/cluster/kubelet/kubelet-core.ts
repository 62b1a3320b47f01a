// What the parts of one kubelet share: the machine below it, its pace, its way to the API server.
import type { Clock } from '../../../shell/clock.ts'
import type { ModelApi } from '../../api-server.ts'
import type { EventRecorder } from '../events.ts'
import type { Tree } from '../files.ts'
import type { ModelKernel } from '../kernel.ts'
import type { Gate } from '../routine.ts'
import type { Program } from '../surroundings.ts'
import type { BackOff } from './back-off.ts'
import type { PullContext } from './image-pull.ts'

/**
 * What a kubelet that was restarted makes of a running container with a startup probe. In both cases its first status counts the
 * container as started, since it is made before anybody probes (kubernetes/kubernetes#142305).
 * - `probed again`: before Kubernetes 1.35; ready, then not ready, then ready when the probe has succeeded once more;
 * - `left as they are`: since 1.35, for a container that was started 10 s before the kubelet or earlier; it is never probed again.
 */
export type StartedContainers = 'probed again' | 'left as they are'

/** How long things take, milliseconds. */
export type KubeletSpeeds = {
  /** Between a change and the kubelet that hears of it. */
  readonly latencyMs: number
  readonly pullMs: number
  /** Sandbox, create and start of one container. */
  readonly startMs: number
  /** Before a hook's first command runs. */
  readonly execMs: number
  /** One modprobe, insmod or rmmod. */
  readonly moduleMs: number
  /** Until the kubelet looks at its runtime again and reports what it sees (PLEG). */
  readonly relistMs: number
  /** Between the last container's end and the delete of the pod object. */
  readonly cleanUpMs: number
  /** A kubelet's own restart. */
  readonly kubeletMs: number
  /** From power-off to a kubelet that reports again. */
  readonly bootMs: number
}

/** The machine below the kubelet. */
export type Machine = {
  readonly name: string
  kernel(): ModelKernel
  readonly hostTree: Tree
  /** Setting of its kubelet. */
  readonly maxPods: number
  readonly kernelLog: 'open' | 'restricted'
  readonly programs: ReadonlyMap<string, Program>
  /** Whether the kernel finds this firmware file in the node's file system. */
  hasFirmware(name: string): boolean
}

export type KubeletCore = {
  readonly api: ModelApi
  readonly clock: Clock
  readonly machine: Machine
  readonly speeds: KubeletSpeeds
  readonly pulls: Omit<PullContext, 'event'>
  /** Restarts of containers. */
  readonly crashes: BackOff
  readonly event: EventRecorder
  /** What becomes of containers with a startup probe when the kubelet is restarted. */
  readonly startedContainers: StartedContainers
  /** Since when the kubelet's process runs. */
  startedAtMs(): number
  isConnected(): boolean
  /** Opens when the API server can be reached again. */
  connection(): Gate
}
