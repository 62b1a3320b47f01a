// What each program of the control plane is told. Source: the programs' own --help of Kubernetes 1.36, etcd 3.6, kwok 0.8.
import { join } from 'node:path'
import type { Pair } from './certificates.ts'

export type Load = 'normal' | 'scale'

export type Layout = {
  readonly folder: string
  readonly etcdPort: number
  readonly etcdPeerPort: number
  readonly apiPort: number
  readonly authorityFile: string
  readonly serving: Pair
  readonly signing: { readonly publicFile: string; readonly keyFile: string }
  readonly auditFile: string
  readonly load: Load
}

export function etcdArgs(layout: Layout): readonly string[] {
  const client = `http://127.0.0.1:${layout.etcdPort}`
  const peer = `http://127.0.0.1:${layout.etcdPeerPort}`
  return [
    `--data-dir=${join(layout.folder, 'etcd')}`,
    // Nothing has to survive the machine; an fsync per write would cost most of the time of a test.
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--quota-backend-bytes=8589934592',
    // As kubeadm and OpenShift set it. Without it a kind that nobody changes gets no bookmark, and its watches look dead.
    ...(layout.load === 'scale' ? ['--watch-progress-notify-interval=5s'] : []),
    '--log-level=warn',
  ]
}

/** @param admission without a controller manager nobody makes the service accounts that pods would need. */
export function apiServerArgs(layout: Layout, admission: 'service accounts' | 'no service accounts'): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${layout.etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${layout.apiPort}`,
    // A machine without a network has no address to advertise (TEST-NET-1, RFC 5737), and nobody looks it up.
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${layout.serving.certFile}`,
    `--tls-private-key-file=${layout.serving.keyFile}`,
    `--client-ca-file=${layout.authorityFile}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    `--service-account-key-file=${layout.signing.publicFile}`,
    `--service-account-signing-key-file=${layout.signing.keyFile}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--allow-privileged=true',
    `--audit-policy-file=${join(import.meta.dirname, 'audit-policy.yaml')}`,
    `--audit-log-path=${layout.auditFile}`,
    // One file: a rotated one would hide requests from the count.
    '--audit-log-maxsize=100000',
    ...(admission === 'service accounts' ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(layout.load === 'scale' ? ['--max-requests-inflight=2000', '--max-mutating-requests-inflight=1000'] : []),
  ]
}

export function controllerManagerArgs(layout: Layout, kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${layout.signing.keyFile}`,
    `--root-ca-file=${layout.authorityFile}`,
    '--use-service-account-credentials=true',
    '--controllers=*,-nodeipam,-route,-service,-cloud-node-lifecycle',
    '--leader-elect=false',
    '--secure-port=0',
    // Longer than two lease periods of kwok: else all nodes turn NotReady and every pod with them.
    '--node-monitor-grace-period=400s',
    ...clientLimits(layout.load),
    ...(layout.load === 'scale' ? ['--concurrent-daemonset-syncs=8'] : []),
  ]
}

export function schedulerArgs(layout: Layout, kubeconfig: string): readonly string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0', ...clientLimits(layout.load)]
}

export function kwokArgs(kubeconfig: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--config=${join(import.meta.dirname, 'kubelets.yaml')}`,
    '--manage-all-nodes=true',
    // With leases off all nodes turn NotReady after the grace period.
    '--node-lease-duration-seconds=160',
  ]
}

/** The limits of the others, so that a measurement shows those of the operator. */
function clientLimits(load: Load): readonly string[] {
  return load === 'scale' ? ['--kube-api-qps=500', '--kube-api-burst=1000'] : []
}
