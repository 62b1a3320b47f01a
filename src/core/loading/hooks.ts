// The scripts of a loader container: its command, the postStart hook that loads, the startup probe, the preStop hook that unloads.
// Plain POSIX sh (dash, busybox ash, bash); built on kubelet-facts.md and decisions.md 12-14 and 16.
import type { CanonicalModprobe } from '../canonical.ts'
import { type LoaderPaths, loaderPaths } from './hook-paths.ts'
import { firmwareCopy, firmwareRemoval, firmwareSearchPath, inTreeRemoval } from './hook-steps.ts'
import { telling } from './hook-words.ts'
import { loadArguments, shellCommand, shellPath, unloadArguments } from './modprobe.ts'

export type Loading = {
  readonly modprobe: CanonicalModprobe
  readonly inTreeModuleToRemove?: string
  /** The firmware search path that the operator was told to give to the kernel; used only with modprobe.firmwarePath. */
  readonly firmwareClassPath?: string
}

/** Time that a stopping loader gets for its unload hook, in seconds. */
export const gracePeriodSeconds = 600
/** The unload hook ends this long before the kubelet would kill it, so that its exit code is heard. */
const reserveSeconds = 30
/** A container that has not loaded its driver after this time, in seconds, ends itself. */
export const waitForMarkSeconds = 300
/** How long the load hook may take to begin, and the kubelet to end a container whose load hook has failed. */
const waitForHookSeconds = 60
const waitForEndSeconds = 10

/**
 * The container's command. It ends when the load hook is cut, never begins, or takes too long: a kubelet that is restarted in between
 * never runs that hook again, and tells that the container is ready.
 */
export const containerScript = (paths: LoaderPaths = loaderPaths): string => `trap 'exit 0' TERM
# The postStart hook leaves a mark when the driver is loaded. A kubelet that is
# restarted meanwhile cuts the hook, and does not run it again: end, so that it
# has to. A hook that fails leaves an empty file; then the kubelet ends us.
waited=0
failed=0
until [ -s ${shellPath(paths.mark)} ]; do
  hook=none
  { read -r hook < ${shellPath(paths.loadHook)}; } 2> /dev/null || :
  case $hook in
    none) [ "$waited" -lt ${waitForHookSeconds} ] || exit 1 ;;
    '') failed=$((failed + 1)) && [ "$failed" -le ${waitForEndSeconds} ] || exit 1 ;;
    *) [ -d ${shellPath(paths.processes)}/"$hook" ] || [ -s ${shellPath(paths.mark)} ] || exit 1 ;;
  esac
  [ "$waited" -lt ${waitForMarkSeconds} ] || exit 1
  waited=$((waited + 1))
  sleep 1
done
sleep infinity &
wait
`

/** The startup probe: exits 0 iff this container has loaded its driver. */
export const startedScript = (paths: LoaderPaths = loaderPaths): string => `[ -s ${shellPath(paths.mark)} ]`

/** The postStart hook: exits 0 iff the driver is loaded and the mark is left; else with the code of the step that failed. */
export function loadScript(loading: Loading, paths: LoaderPaths = loaderPaths): string {
  const { modprobe, inTreeModuleToRemove, firmwareClassPath } = loading
  const [mark, hook] = [shellPath(paths.mark), shellPath(paths.loadHook)]
  const firmware = modprobe.firmwarePath === '' ? undefined : modprobe.firmwarePath
  const inTree = inTreeModuleToRemove === '' ? undefined : inTreeModuleToRemove
  const searchPath = firmware === undefined || firmwareClassPath === '' ? undefined : firmwareClassPath
  const steps: readonly string[] = [
    'open_mark',
    ...(inTree === undefined ? [] : ['remove_in_tree']),
    ...(searchPath === undefined ? [] : ['set_firmware_path']),
    ...(firmware === undefined ? [] : ['copy_firmware']),
    'load',
  ]
  return [
    '# Load the driver.\n',
    telling(paths),
    `open_mark() { printf '' > ${mark} && echo "$$" > ${hook}; }\nleave_mark() { echo loaded > ${mark}; }\n`,
    inTree === undefined ? '' : inTreeRemoval(inTree, paths),
    searchPath === undefined ? '' : firmwareSearchPath(searchPath, paths),
    firmware === undefined ? '' : `${firmwareCopy(firmware, paths)}\n${firmwareRemoval(firmware, paths)}`,
    `load() { ${shellCommand('modprobe', loadArguments(modprobe))}; }

copied=
if ${steps.map(step => (step === 'copy_firmware' ? 'copied=yes && step copy_firmware' : `step ${step}`)).join(' && ')}; then
  # The unload hook touches nothing unless this mark says that it is ours.
  step leave_mark
  tell loaded
  exit "$code"
fi
failed=$code
`,
    firmware === undefined ? '' : `[ -z "$copied" ] || ( remove_firmware ) > /dev/null 2>&1\n`,
    `kernel=$(kernel_log)\ntell 'load failed'\n{ printf '' > ${hook}; } 2> /dev/null || :\nexit "$failed"\n`,
  ].join('')
}

/** The preStop hook: without the mark it does nothing; with it, it tries until the driver is out of the kernel or time is up. */
export function unloadScript(loading: Loading, paths: LoaderPaths = loaderPaths): string {
  const firmware = loading.modprobe.firmwarePath === '' ? undefined : loading.modprobe.firmwarePath
  const mark = shellPath(paths.mark)
  return [
    `# Unload the driver, if this very container has loaded it.\n[ -s ${mark} ] || exit 0\n`,
    telling(paths),
    `seconds() {
  now=
  { read -r now _ < ${shellPath(paths.uptime)}; } 2> /dev/null || :
  now=\${now%.*}
  now=\${now:-$tries}
}
`,
    firmware === undefined ? '' : firmwareRemoval(firmware, paths),
    `unload() { ${shellCommand('modprobe', unloadArguments(loading.modprobe))}; }

`,
    firmware === undefined ? '' : '# Before the driver goes, and whatever comes of it.\nstep remove_firmware\n',
    `before=$words
tries=0
seconds
end=$((now + ${gracePeriodSeconds - reserveSeconds}))
while :; do
  words=$before
  if step unload; then
    tell unloaded
    { printf '' > ${mark}; } 2> /dev/null || :
    exit 0
  fi
  [ -n "$kernel" ] || kernel=$(kernel_log)
  tell 'unload failed'
  seconds
  [ "$now" -lt "$end" ] || exit "$code"
  sleep 1 || exit "$code"
  tries=$((tries + 1))
done
`,
  ].join('')
}
