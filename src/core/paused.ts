import { annotations } from './names.ts'
import type { KubeObject } from './object.ts'

/** Nothing is changed, replaced or removed for a paused Module; its status is still told (decisions.md 23). */
export const isPaused = (module: KubeObject): boolean => module.metadata.annotations?.[annotations.paused] === 'true'
