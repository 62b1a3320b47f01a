// status of a Module: what was seen, never what is wished (decisions.md 20).
import { z } from 'zod'
import { count, text } from './fields.ts'

const time = (description: string) => z.string().meta({ description, format: 'date-time' })
const listMap = (key: string, description: string) => ({
  description,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
})

export const operandCounters = (what: string) =>
  z
    .object({
      nodesMatchingSelectorNumber: count('Nodes that match spec.selector.').optional(),
      desiredNumber: count(`Nodes of these on which the ${what} should run.`).optional(),
      availableNumber: count(`Nodes on which the ${what} runs.`).optional(),
    })
    .meta({ description: `On how many nodes the ${what} is wanted, and runs.` })

export const statusCondition = z
  .object({
    type: text('Ready, Reconciling or Stalled.'),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether the condition holds.' }),
    reason: text('One word for the cause, listed in the reference of problems.'),
    message: text('The cause in a sentence, and what to do.'),
    lastTransitionTime: time('When status changed last.'),
    observedGeneration: z
      .int()
      .meta({ description: 'Generation of the Module that this was said of.', format: 'int64' })
      .optional(),
  })
  .meta({ description: 'One thing that is true or false of the Module.' })

export const kernelStatus = z
  .object({
    kernel: text('Version of the kernel.'),
    image: text('Image with the driver for it, with all variables replaced.').optional(),
    nodes: count('Selected nodes that run it.'),
    ready: count('Nodes of these on which the current driver is loaded.'),
    reason: text('Why not all of them are ready, in one word.').optional(),
    message: text('The same in a sentence.').optional(),
  })
  .meta({ description: 'What happens for one kernel.' })

export const notReadyNode = z
  .object({
    name: text('Name of the node.'),
    reason: text('Why the current driver is not loaded on it, in one word.'),
    message: text('The same in a sentence, with the words of modprobe or of the kubelet.').optional(),
    since: time('Since when.').optional(),
  })
  .meta({ description: 'A node that should have the current driver and has not, or that has one although it is not selected.' })

export const moduleStatus = z
  .object({
    moduleLoader: operandCounters('driver').optional(),
    devicePlugin: operandCounters('device plugin').optional(),
    observedGeneration: z
      .int()
      .meta({ description: 'Generation of the Module that this status was made for.', format: 'int64' })
      .optional(),
    conditions: z
      .array(statusCondition)
      .meta(listMap('type', 'Ready, Reconciling and Stalled, as tools expect them.'))
      .optional(),
    kernels: z.array(kernelStatus).meta(listMap('kernel', 'The kernels of the selected nodes.')).optional(),
    notReadyNodes: z
      .array(notReadyNode)
      .max(20)
      .meta(listMap('name', 'At most 20 nodes that are not ready, the worst first.'))
      .optional(),
  })
  .meta({ description: 'What KMM last saw.' })
