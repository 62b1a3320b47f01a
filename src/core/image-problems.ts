// Problems on the way from a kernel to an image.
import { entry, type OnKernel } from './problem-entry.ts'

export const imageProblems = {
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
}
