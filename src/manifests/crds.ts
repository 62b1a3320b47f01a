// The CustomResourceDefinitions that we ship. They are right without CEL and use nothing newer than Kubernetes 1.23 (decisions.md 25).
import type { KindSchema } from '../api/json-schema.ts'
import { moduleObject } from '../api/module.ts'
import { type Schema, structuralSchema } from './schema.ts'

type PrinterColumn = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description?: string
}

export type CustomResourceDefinition = {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: 'Namespaced' | 'Cluster'
    readonly names: {
      readonly kind: string
      readonly listKind: string
      readonly plural: string
      readonly singular: string
      readonly shortNames?: readonly string[]
    }
    readonly versions: readonly {
      readonly name: string
      readonly served: true
      readonly storage: true
      readonly schema: { readonly openAPIV3Schema: Schema }
      readonly subresources: { readonly status: Readonly<Record<string, never>> }
      readonly additionalPrinterColumns: readonly PrinterColumn[]
    }[]
  }
}

type Kind = {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly group: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly schema: KindSchema
  readonly columns: readonly PrinterColumn[]
}

const counter = (name: string, field: string, description: string): PrinterColumn => ({
  name,
  type: 'integer',
  jsonPath: `.status.moduleLoader.${field}`,
  description,
})

/** As in `kubectl get modules`; a paused Module says Paused under Reason (decisions.md 20, 23). */
const moduleColumns: readonly PrinterColumn[] = [
  counter('Nodes', 'nodesMatchingSelectorNumber', 'Nodes that match the selector.'),
  counter('Desired', 'desiredNumber', 'Nodes on which the driver should be loaded.'),
  counter('Available', 'availableNumber', 'Nodes on which the driver is loaded.'),
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: 'Why it is not ready.',
  },
  { name: 'Version', type: 'string', jsonPath: '.spec.moduleLoader.container.version' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
]

const kinds: readonly Kind[] = [
  {
    kind: 'Module',
    plural: 'modules',
    shortName: 'mod',
    group: 'kmm.sigs.x-k8s.io',
    scope: 'Namespaced',
    schema: moduleObject,
    columns: moduleColumns,
  },
]

export function customResourceDefinitions(): readonly CustomResourceDefinition[] {
  return kinds.map(({ kind, plural, shortName, group, scope, schema, columns }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames: [shortName] },
      versions: [
        {
          name: 'v1beta1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: structuralSchema(schema) },
          subresources: { status: {} },
          additionalPrinterColumns: columns,
        },
      ],
    },
  }))
}
