// What a load needs besides modprobe, each as a shell function: removal of an in-tree module, firmware, its search path.
import type { LoaderPaths } from './hook-paths.ts'
import { shellCommand, shellPath, shellWord } from './modprobe.ts'

/** With the host's modules, hence without -d. What is out of tree is ours: only this container was restarted (decisions.md 14). */
export function inTreeRemoval(name: string, paths: LoaderPaths): string {
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

export const firmwareCopy = (firmware: string, paths: LoaderPaths): string => {
  const to = shellPath(paths.hostFirmware)
  return `copy_firmware() { cp -r ${shellPath(firmware)}/* ${to}; }`
}

/** Files, and directories that are then empty. Only what the copy has taken along: not the hidden files at the top. */
export const firmwareRemoval = (firmware: string, paths: LoaderPaths): string => `remove_firmware() {
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
export function firmwareSearchPath(wanted: string, paths: LoaderPaths): string {
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
