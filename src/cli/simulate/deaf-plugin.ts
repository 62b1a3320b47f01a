// A device plugin that does not end when it is told to.
import { baseFiles } from '../../model/cluster/images.ts'
import type { ImageContent } from '../../model/cluster/registry.ts'
import type { Routine } from '../../model/cluster/routine.ts'
import type { Program } from '../../model/cluster/surroundings.ts'

const name = 'deaf'

/** Only the end of its grace period ends it: nothing interrupts its pause. */
function* deaf(): Routine<number> {
  yield {}
  return 0
}

export const deafPrograms: ReadonlyMap<string, Program> = new Map([[name, deaf]])

/** `path` is what the Module, or else the image, starts. */
export const deafImage = (path: string): ImageContent => ({
  files: { ...baseFiles(), [path]: { kind: 'binary', program: name } },
  command: [path],
})
