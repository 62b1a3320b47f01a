// The three scripts of a loader container: its command, the postStart hook that loads and the preStop hook that unloads.
// Plain POSIX sh (dash, busybox ash, bash); built on kubelet-facts.md and decisions.md 12-14 and 16.
import type { CanonicalModprobe } from '../module/canonical.ts'
import { loadArguments, shellCommand, shellPath, shellWord, unloadArguments } from './modprobe.ts'

export type Loading = {
  readonly modprobe: CanonicalModprobe
  readonly inTreeModuleToRemove?: string
  /** The firmware search path that the operator was told to give to the kernel; used only with modprobe.firmwarePath. */
  readonly firmwareClassPath?: string
}

/** Where the scripts find things in the container. A test puts its own folders in their place. */
export type LoaderPaths = {
  /**
   * Not empty in a container that has loaded its driver. /dev is a file system that the runtime makes anew for each container: a
   * restarted one has no mark, and it can be written where the root file system is read-only.
   */
  readonly mark: string
  readonly terminationLog: string
  readonly bootId: string
  readonly uptime: string
  readonly sysModule: string
  readonly hostFirmware: string
  readonly firmwareSearchPath: string
}

export const loaderPaths: LoaderPaths = {
  mark: '/dev/kmm-loaded',
  terminationLog: '/dev/termination-log',
  bootId: '/proc/sys/kernel/random/boot_id',
  uptime: '/proc/uptime',
  sysModule: '/sys/module',
  hostFirmware: '/var/lib/firmware',
  firmwareSearchPath: '/sys/module/firmware_class/parameters/path',
}

/** Time that a stopping loader gets for its unload hook, in seconds. */
export const gracePeriodSeconds = 600
/** The unload hook ends this long before the kubelet would kill it, so that its exit code is heard. */
const reserveSeconds = 30
const waitForMarkSeconds = 300

/** The container's command. It ends when no mark comes: a kubelet restarted during postStart never runs that hook again. */
export const containerScript = (paths: LoaderPaths = loaderPaths): string => `trap 'exit 0' TERM
# The postStart hook leaves a mark when the driver is loaded. A kubelet that was
# restarted meanwhile does not run the hook again: end, so that it has to.
left=${waitForMarkSeconds}
until [ -s ${shellPath(paths.mark)} ]; do
  [ "$left" -gt 0 ] || exit 1
  left=$((left - 1))
  sleep 1
done
sleep infinity &
wait
`

/** The postStart hook: exits 0 iff the driver is loaded and the mark is left; else with the code of the step that failed. */
export function loadScript(loading: Loading, paths: LoaderPaths = loaderPaths): string {
  const { modprobe, inTreeModuleToRemove, firmwareClassPath } = loading
  const mark = shellPath(paths.mark)
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
    words(paths),
    `open_mark() { printf '' > ${mark}; }\nleave_mark() { echo loaded > ${mark}; }\n`,
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
    `kernel=$(kernel_log)\ntell 'load failed'\nexit "$failed"\n`,
  ].join('')
}

/** The preStop hook: without the mark it does nothing; with it, it tries until the driver is out of the kernel or time is up. */
export function unloadScript(loading: Loading, paths: LoaderPaths = loaderPaths): string {
  const firmware = loading.modprobe.firmwarePath === '' ? undefined : loading.modprobe.firmwarePath
  const mark = shellPath(paths.mark)
  return [
    `# Unload the driver, if this very container has loaded it.\n[ -s ${mark} ] || exit 0\n`,
    words(paths),
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

/**
 * What both hooks share. The first line in the log is ours, then come modprobe's words, after a failure the kernel's: together less
 * than the 4096 bytes that the kubelet keeps. Only built-ins of the shell; nothing fails because the log cannot be written (a failed
 * redirection of a special built-in such as `:` would end dash).
 */
const words = (paths: LoaderPaths): string => `export LC_ALL=C
newline='
'
words=
kernel=
told=
boot=
{ read -r boot < ${shellPath(paths.bootId)}; } 2> /dev/null || :

# last BYTES: the last whole lines of the input
last() {
  kept=
  while IFS= read -r line || [ -n "$line" ]; do
    kept=$kept$line$newline
    while [ "\${#kept}" -gt "$1" ]; do
      case $kept in
        *"$newline"?*) kept=\${kept#*"$newline"} ;;
        *) break ;;
      esac
    done
  done
  printf "%.$1s" "$kept"
}

kernel_log() { dmesg 2> /dev/null | last 1536; }

# step COMMAND: runs it, keeps what it says
step() {
  said=$("$@" 2>&1)
  code=$?
  [ -z "$said" ] || words=$words$said$newline
  return "$code"
}

# tell RESULT: to the pod's status through the termination log, and to stderr
tell() {
  text="kmm $1 \${boot:-unknown}"
  [ -z "$words" ] || text=$text$newline$(printf '%s' "$words" | last 2048)
  [ -z "$kernel" ] || text=$text\${newline}kernel:$newline$kernel
  { printf '%s\\n' "$text" > ${shellPath(paths.terminationLog)}; } 2> /dev/null || :
  [ "$text" = "$told" ] || printf '%s\\n' "$text" >&2 || :
  told=$text
}

`

/** With the host's modules, hence without -d. What is out of tree is ours: only this container was restarted (decisions.md 14). */
function inTreeRemoval(name: string, paths: LoaderPaths): string {
  const entry = `${paths.sysModule}/${name.replaceAll('-', '_')}`
  return `remove_in_tree() {
  taint=
  { read -r taint < ${shellPath(`${entry}/taint`)}; } 2> /dev/null || :
  case $taint in *O*) return 0 ;; esac
  removal=$(${shellCommand('modprobe', ['-r', name])} 2>&1) && return 0
  failure=$?
  [ -e ${shellPath(entry)} ] || return 0 # it is not loaded
  printf '%s\\n' "$removal"
  return "$failure"
}
`
}

const firmwareCopy = (firmware: string, paths: LoaderPaths): string => {
  const to = shellPath(paths.hostFirmware)
  return `copy_firmware() { cp -r ${shellPath(firmware)}/* ${to}; }`
}

/** Files, and directories that are then empty. Only what the copy has taken along: not the hidden files at the top. */
const firmwareRemoval = (firmware: string, paths: LoaderPaths): string => `remove_firmware() {
  cd ${shellPath(firmware)} && find ./* | sort -r | while IFS= read -r file; do
    if [ -d "$file" ] && [ ! -L "$file" ]; then
      rmdir ${shellPath(paths.hostFirmware)}/"$file" 2> /dev/null || :
    elif [ -e "$file" ] || [ -L "$file" ]; then
      rm -f ${shellPath(paths.hostFirmware)}/"$file"
    fi
  done
}
`

/** Set where it is empty; never changed where somebody else relies on another path. The kernel would keep a newline as part of it. */
function firmwareSearchPath(wanted: string, paths: LoaderPaths): string {
  const file = shellPath(paths.firmwareSearchPath)
  const word = shellWord(wanted)
  return `set_firmware_path() {
  found=
  { read -r found < ${file}; } 2> /dev/null || :
  [ "$found" != ${word} ] || return 0
  if [ -n "$found" ]; then
    printf 'kmm: this node looks for firmware in %s, not in %s\\n' "$found" ${word}
    return 1
  fi
  printf '%s' ${word} > ${file}
}
`
}
