// Why a driver was not loaded, from the words of modprobe and of the kernel (kubelet-facts.md, "Words of the kernel"). modprobe says
// the same for an unknown symbol as for missing firmware; then the kernel log decides, where it can be read.
import type { ProblemCode } from '../problem.ts'

export type LoadFailure = Extract<
  ProblemCode,
  | 'KeyRejected'
  | 'ModuleNotFound'
  | 'UnknownSymbol'
  | 'FirmwareMissing'
  | 'UnknownSymbolOrFirmware'
  | 'WrongFormat'
  | 'InTreeTwinLoaded'
  | 'NotPermitted'
  | 'NoModprobeInImage'
  | 'NoShellInImage'
  | 'FirmwarePathDiffers'
  | 'LoadFailed'
>

const kernelSymbol = /Unknown symbol/
const kernelFirmware =
  /firmware load for .* failed|failed to (?:load|request) .*firmware|firmware: failed to load|firmware .*not found/i
const kernelFormat = /disagrees about version of symbol|version magic .* should be|exports duplicate symbol .*vermagic/

/** In this order: the first rule whose pattern is found among modprobe's words. */
const rules: readonly (readonly [RegExp, (kernelLog: string) => LoadFailure])[] = [
  [/^kmm: this node looks for firmware in (?!%)/m, () => 'FirmwarePathDiffers'],
  [/exec: "(?:\/bin\/)?sh"|"\/bin\/sh": (?:stat|no such)|executable file .*\/sh\b.* not found/, () => 'NoShellInImage'],
  [
    /(?:^|: )modprobe: (?:command )?not found|exec: "modprobe"|modprobe: (?:Permission denied|cannot execute)/m,
    () => 'NoModprobeInImage',
  ],
  [/Key was rejected by service|Required key not available|Key has (?:expired|been revoked)/, () => 'KeyRejected'],
  [/Module \S+ not found|not found in modules\.dep|could not open moddep file/, () => 'ModuleNotFound'],
  [/Unknown symbol/, symbolOrFirmware],
  [/Invalid module format|Exec format error|wrong symbol version/, () => 'WrongFormat'],
  [/File exists|Module already in kernel/, () => 'InTreeTwinLoaded'],
  [
    /could not (?:insert|load) .*(?:Operation not permitted|Permission denied)|^modprobe: .*Operation not permitted/m,
    log => (/unsigned module loading is restricted/.test(log) ? 'KeyRejected' : 'NotPermitted'),
  ],
  [/could not insert .*: Invalid argument/, log => (kernelFormat.test(log) ? 'WrongFormat' : 'LoadFailed')],
]

/**
 * Total: what no rule knows is `LoadFailed`. `words` may also be the kubelet's message of a PostStartHookError, which quotes the
 * whole hook before what it has said.
 */
export function loadFailure(words: string, kernelLog = ''): LoadFailure {
  const said = spokenByHook(words)
  return rules.find(([pattern]) => pattern.test(said))?.[1](kernelLog) ?? 'LoadFailed'
}

/**
 * What the hook said, from the kubelet's message of a PostStartHookError: `Exec lifecycle hook (...) failed - error: command '...'
 * exited with 1: WORDS, message: "WORDS"`. The hook's own text, which stands there twice, is not part of it. Other words stay as they are.
 */
export function spokenByHook(words: string): string {
  const marker = /exited with \d+: /g
  let start = 0
  for (const match of words.matchAll(marker)) start = match.index + match[0].length
  const end = start === 0 ? -1 : words.indexOf(', message: "', start)
  return words.slice(start, end < 0 ? undefined : end)
}

/** The last line that tells: older ones may be of another module. */
function symbolOrFirmware(kernelLog: string): LoadFailure {
  const telling = kernelLog
    .split('\n')
    .filter(line => kernelSymbol.test(line) || kernelFirmware.test(line) || kernelFormat.test(line))
    .at(-1)
  if (telling === undefined) return 'UnknownSymbolOrFirmware'
  if (kernelFirmware.test(telling)) return 'FirmwareMissing'
  return kernelFormat.test(telling) ? 'WrongFormat' : 'UnknownSymbol'
}
