// Runs every controller over every key that concerns it: one look, no second one. The effects stay on paper.
import type { Controller, Look, PlanContext } from '../../core/controller.ts'
import { keyOf } from '../../core/object.ts'
import type { Plan } from '../../core/plan.ts'

export type PlanOfKey = { readonly controller: string; readonly key: string; readonly plan: Plan }

/** Controllers in the order given, their keys sorted. A key without an object of its own is left out when nothing is to be done for it. */
export function planEverything(controllers: readonly Controller[], look: Look, context: PlanContext): readonly PlanOfKey[] {
  return controllers.flatMap(controller =>
    keysOf(controller, look)
      .map(key => ({ controller: controller.name, key, plan: controller.plan(look, key, context) }))
      .filter(({ key, plan }) => look.get(controller.resource, key) !== undefined || !isEmpty(plan)),
  )
}

function keysOf(controller: Controller, look: Look): readonly string[] {
  const own = look.list(controller.resource).map(keyOf)
  const woken = controller.wakes.flatMap(wake => look.list(wake.resource).flatMap(object => wake.keys(object, look)))
  return [...new Set([...own, ...woken])].sort()
}

const isEmpty = (plan: Plan): boolean =>
  plan.status === undefined &&
  [plan.questions, plan.apply, plan.remove, plan.events, plan.problems].every(list => list.length === 0)
