// What a process has cost, seen from outside. Source: proc(5), /proc/PID/stat fields 14 and 15, /proc/PID/status.
import { readFileSync } from 'node:fs'

// USER_HZ is 100 on every architecture that Node runs on (getconf CLK_TCK).
const ticksPerSecond = 100

export type ProcessCost = {
  readonly cpuSeconds: number
  /** Most resident memory since the start, MiB. */
  readonly peakMiB: number
  readonly residentMiB: number
}

/** Throws when the process is gone. */
export function processCost(pid: number): ProcessCost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces: count from behind it, where the state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    peakMiB: mib('VmHWM'),
    residentMiB: mib('VmRSS'),
  }
}
