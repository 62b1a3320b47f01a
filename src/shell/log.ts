// One JSON line per event, on standard error.
import pino from 'pino'
import type { Log } from './observe.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** `name` is in every line (`kmm`, `kmm-hub`), as the first word of the original's lines was. */
export function jsonLog(name: string, level: LogLevel): Log {
  const destination = pino.destination({ fd: 2, sync: true })
  const logger = pino(
    {
      level,
      base: { logger: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    destination,
  )
  return (at, message, fields) => logger[at](fields, message)
}
