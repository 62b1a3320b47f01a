// A screen that follows a simulation.
import { setTimeout } from 'node:timers/promises'
import type { Io } from '../io.ts'
import { createScreen, type Screen } from './screen.ts'
import type { Simulation } from './simulation.ts'

export type Show = Pick<Screen, 'say'> & {
  /** Shows every change until the simulation has settled. */
  until(simulation: Simulation, patience?: Parameters<Simulation['settle']>[1]): Promise<void>
}

/** On a terminal changes are held for a moment, so that the eye can follow. */
const changeMs = 250

export function createShow(io: Io): Show {
  const screen = createScreen(io)
  return {
    say: text => screen.say(text),
    async until(simulation, patience) {
      const ended = await simulation.settle(async (rows, sinceMs) => {
        screen.show(rows, sinceMs)
        if (io.terminal !== undefined) await setTimeout(changeMs, undefined, { signal: io.stop }).catch(() => {})
      }, patience)
      if (ended === 'restless') screen.say('This does not settle within three hours of the simulated cluster.')
    },
  }
}
