// The control loops, as data. Read this folder first: what wakes each, what it plans.
import type { Controller } from '../core/controller.ts'
import { moduleController } from './module.ts'
import { nodeController } from './node.ts'

export { watches } from './watches.ts'

export const controllers: readonly Controller[] = [moduleController, nodeController]
