// Fields that more than one of our kinds has, and those that Kubernetes defines. The latter stay loose here: `kubernetesType` names
// the schema in kubernetes-schemas.json that src/manifests puts in their place in the CRD.
import { z } from 'zod'

export const text = (description: string) => z.string().meta({ description })
const flag = (description: string) => z.boolean().meta({ description })
export const texts = (description: string) => z.array(z.string()).meta({ description })
export const labelMap = (description: string) => z.record(z.string(), z.string()).meta({ description })
export const count = (description: string) => z.int().meta({ description, format: 'int32' })

export const objectReference = (description: string) =>
  z.object({ name: text('Name of the object.') }).meta({ description, 'x-kubernetes-map-type': 'atomic' })

const embedded = <Shape extends z.ZodRawShape>(kubernetesType: string, shape: Shape, description?: string) =>
  z
    .looseObject(shape)
    .meta({ kubernetesType: `io.k8s.api.core.v1.${kubernetesType}`, ...(description === undefined ? {} : { description }) })

export const envVar = embedded('EnvVar', { name: z.string(), value: z.string().optional() })
export const volume = embedded('Volume', { name: z.string() })
export const volumeMount = embedded('VolumeMount', { name: z.string(), mountPath: z.string() })
export const resourceRequirements = embedded('ResourceRequirements', {}, 'Compute resources of the container.')
export const toleration = z
  .object({
    key: z.string().optional(),
    operator: z.string().optional(),
    value: z.string().optional(),
    effect: z.string().optional(),
    tolerationSeconds: z.int().optional(),
  })
  .meta({ kubernetesType: 'io.k8s.api.core.v1.Toleration' })

/** A number of things, or a share of them such as `10%`. */
export const intOrPercent = (description: string, standard: number) =>
  z.union([z.int(), z.string()]).meta({ description, default: standard, 'x-kubernetes-int-or-string': true })

export const tlsOptions = (description: string) =>
  z
    .object({
      insecure: flag('Also try plain HTTP. Avoid it: anyone on the way can replace the image.').optional(),
      insecureSkipTLSVerify: flag(
        'Accept any TLS certificate of the registry. Avoid it: anyone on the way can replace the image.',
      ).optional(),
    })
    .meta({ description })

export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<Exclude<T[Key], undefined>> }
    : T
