// For each kernel of the selected nodes: which driver, which DaemonSet, or why none.

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet, Pod } from '../cluster.ts'
import { decideImage } from '../image/decide.ts'
import { type ResolvedSpec, resolveMapping } from '../kernel/mapping.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { labels, loaderVersionLabel, objectName, pluginVersionLabel } from '../names.ts'
import { containerOf, operandOf, ownerUidOf } from '../operands.ts'
import type { Question } from '../plan.ts'
import { type Problem, problem } from '../problem.ts'
import { takenBy } from './claims.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

export type KernelStep = {
  readonly kernel: string
  readonly targets: readonly Target[]
  /** The DaemonSet of this kernel and version, if it exists. */
  readonly daemonSet: DaemonSet | undefined
  /** Present where the DaemonSet should be applied as resolved. */
  readonly spec?: ResolvedSpec
  /** The DaemonSet as it should be, where there is a spec. */
  readonly wanted?: DaemonSet
  readonly question?: Question
  /** Why there is no spec; an existing DaemonSet is kept all the same. With a spec: what is wrong although it is applied. */
  readonly problem?: Problem
}

/** No mapping says what to run for this kernel: its nodes are no targets (decisions.md 17). */
export const isUnmapped = ({ problem: found }: KernelStep): boolean =>
  found?.code === 'NoKernelMapping' || found?.code === 'KernelMappingLost' || found?.code === 'MappingInvalid'

export const versionOf = (module: CanonicalModule): string => module.spec.moduleLoader.container.version ?? ''

export function kernelStep(seen: SeenModule, module: CanonicalModule, kernel: string, targets: readonly Target[]): KernelStep {
  const daemonSet = loaderOf(seen, module, kernel)
  const known = { kernel, targets, daemonSet }
  const spec = resolveMapping(module, kernel)
  if ('code' in spec) return { ...known, problem: lostMapping(seen, daemonSet ?? anyServing(seen, kernel), kernel, spec) }
  const claim = takenBy(
    module,
    seen.rivals,
    kernel,
    targets.map(target => target.node),
  )
  if (claim !== undefined) {
    return {
      ...known,
      problem: problem('ModuleNameTaken', { module: seen.key, kernel, kernelModule: claim.kernelModule, other: claim.holder }),
    }
  }
  const question: Question = {
    ask: 'exists',
    image: spec.image,
    namespace: module.metadata.namespace ?? '',
    ...(module.spec.imageRepoSecret?.name ? { secret: module.spec.imageRepoSecret.name } : {}),
  }
  const isStated = daemonSet?.spec?.template?.spec?.containers?.[0]?.image === spec.image
  const step = decideImage({
    isProduced: spec.build !== undefined || spec.sign !== undefined,
    isStated,
    isUnpullable: seen.pods.some(pod => ownerUidOf(pod) === daemonSet?.metadata.uid && cannotPull(pod, spec.image)),
    answer: seen.answer(question),
  })
  const about = { module: seen.key, kernel, image: spec.image }
  switch (step.do) {
    case 'run': {
      const [left] = seen.leftDaemonSets
      if (daemonSet !== undefined || left === undefined) return { ...known, spec }
      return { ...known, problem: problem('OldDaemonSetPresent', { module: seen.key, daemonSet: left.metadata.name }) }
    }
    case 'run-and-ask':
      return { ...known, spec, question }
    case 'ask':
      return { ...known, question, problem: problem('ImageUnknown', about) }
    case 'give-up':
      // Where the image was there once, nodes may run it: only the one that cannot pull it is without a driver.
      return { ...known, ...(isStated ? { spec } : {}), problem: problem('ImageMissing', about) }
  }
}

const cannotPull = (pod: Pod, image: string): boolean =>
  pod.spec?.containers?.[0]?.image === image && isUnpullable(containerOf(pod)?.state?.waiting?.reason)

export const isUnpullable = (reason: string | undefined): boolean =>
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|RegistryUnavailable|SignatureValidationFailed)$/.test(
    reason ?? '',
  )

/** A typo in a mapping must not unload a fleet: the DaemonSet stays as it is (decisions.md 9). */
function lostMapping(seen: SeenModule, daemonSet: DaemonSet | undefined, kernel: string, found: Problem): Problem {
  if (found.code !== 'NoKernelMapping' || daemonSet === undefined) return found
  return problem('KernelMappingLost', {
    module: seen.key,
    kernel,
    image: daemonSet.spec?.template?.spec?.containers?.[0]?.image ?? '',
    nodes: daemonSet.status?.numberReady ?? 0,
    daemonSet: daemonSet.metadata.name,
  })
}

/** Found by labels first, so that DaemonSets of older operators are adopted; twins cannot come from a stale view (behaviour.md 2.1.4). */
function loaderOf(seen: SeenModule, module: CanonicalModule, kernel: string): DaemonSet | undefined {
  return seen.daemonSets.find(
    daemonSet =>
      operandOf(daemonSet) === 'loader' &&
      daemonSet.metadata.labels?.[labels.kernel] === kernelLabelValue(kernel) &&
      loaderVersion(daemonSet, module) === versionOf(module),
  )
}

/** Of another version, where the one that the Module names now has no DaemonSet: the one with the most drivers. */
const anyServing = (seen: SeenModule, kernel: string): DaemonSet | undefined =>
  seen.daemonSets
    .filter(
      daemonSet =>
        operandOf(daemonSet) === 'loader' &&
        daemonSet.metadata.labels?.[labels.kernel] === kernelLabelValue(kernel) &&
        (daemonSet.status?.numberReady ?? 0) > 0,
    )
    .toSorted((a, b) => (b.status?.numberReady ?? 0) - (a.status?.numberReady ?? 0))[0]

export function pluginOf(seen: SeenModule, module: CanonicalModule): DaemonSet | undefined {
  return seen.daemonSets.find(
    daemonSet => operandOf(daemonSet) === 'plugin' && pluginVersion(daemonSet, module) === versionOf(module),
  )
}

export const loaderVersion = (daemonSet: DaemonSet, module: CanonicalModule): string =>
  daemonSet.metadata.labels?.[loaderVersionLabel(module.metadata.namespace ?? '', module.metadata.name)] ?? ''
export const pluginVersion = (daemonSet: DaemonSet, module: CanonicalModule): string =>
  daemonSet.metadata.labels?.[pluginVersionLabel(module.metadata.namespace ?? '', module.metadata.name)] ?? ''

/** The uid is a part: the DaemonSet of a Module that was deleted and made again is another one. */
export const loaderName = (module: CanonicalModule, kernel: string): string =>
  objectName([module.metadata.name, kernelLabelValue(kernel), versionOf(module)], module.metadata.uid ?? '')
export const pluginName = (module: CanonicalModule): string =>
  objectName([module.metadata.name, 'device-plugin', versionOf(module)], module.metadata.uid ?? '')
