// Moved to core/canonical.ts, because kernel, loading and plugin read it too. This file goes when its last importer has followed.
import { canonicalModule as canonical } from '../canonical.ts'

export type {
  CanonicalContainer,
  CanonicalKernelMapping,
  CanonicalModprobe,
  CanonicalModule,
  CanonicalSign,
  CanonicalSpec,
} from '../canonical.ts'

export const canonicalModule = canonical
