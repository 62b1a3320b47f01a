// The one form of a Module that core reads: aliases under their canonical names, defaults filled in as the API server does
// (decisions.md 24). Nothing writes this form back to a user's object: GitOps tools would report drift for ever.
import type {
  Build,
  KernelMapping,
  LocalObjectReference,
  Modprobe,
  Module,
  ModuleLoader,
  ModuleLoaderContainer,
  ModuleSpec,
  Sign,
} from '../api/module.ts'

export type CanonicalSign = Omit<Sign, 'keySecret' | 'keysecret' | 'certSecret' | 'certsecret'> & {
  readonly keySecret: LocalObjectReference
  readonly certSecret: LocalObjectReference
}
export type CanonicalKernelMapping = Omit<KernelMapping, 'sign'> & { readonly sign?: CanonicalSign }
export type CanonicalModprobe = Omit<Modprobe, 'dirName'> & { readonly dirName: string }
export type CanonicalContainer = Omit<ModuleLoaderContainer, 'sign' | 'kernelMappings' | 'modprobe'> & {
  readonly build?: Build
  readonly sign?: CanonicalSign
  readonly kernelMappings: readonly CanonicalKernelMapping[]
  readonly modprobe: CanonicalModprobe
}
export type CanonicalSpec = Omit<ModuleSpec, 'imageReposecret' | 'moduleLoader'> & {
  readonly moduleLoader: Omit<ModuleLoader, 'container' | 'maxUnavailable'> & {
    readonly maxUnavailable: number | string
    readonly container: CanonicalContainer
  }
}
export type CanonicalModule = Omit<Module, 'spec'> & { readonly spec: CanonicalSpec }

/** Of an object that passed the CRD. Idempotent; where both spellings are there (which the CRD refuses) the canonical one wins. */
export function canonicalModule(module: Module): CanonicalModule {
  const { imageReposecret, moduleLoader, ...spec } = module.spec
  const { sign, kernelMappings, modprobe, ...container } = moduleLoader.container
  const imageRepoSecret = spec.imageRepoSecret ?? imageReposecret
  return {
    ...module,
    spec: {
      ...spec,
      ...(imageRepoSecret === undefined ? {} : { imageRepoSecret }),
      moduleLoader: {
        ...moduleLoader,
        maxUnavailable: moduleLoader.maxUnavailable ?? 1,
        container: {
          ...container,
          ...(sign === undefined ? {} : { sign: canonicalSign(sign) }),
          kernelMappings: kernelMappings.map(canonicalMapping),
          modprobe: { ...modprobe, dirName: modprobe.dirName ?? '/opt' },
        },
      },
    },
  }
}

function canonicalMapping({ sign, ...mapping }: KernelMapping): CanonicalKernelMapping {
  return sign === undefined ? mapping : { ...mapping, sign: canonicalSign(sign) }
}

function canonicalSign({ keySecret, keysecret, certSecret, certsecret, ...sign }: Sign): CanonicalSign {
  return { ...sign, keySecret: keySecret ?? keysecret ?? { name: '' }, certSecret: certSecret ?? certsecret ?? { name: '' } }
}
