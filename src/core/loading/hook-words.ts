// The shell functions with which both hooks keep and tell what happened (decisions.md 13).
import type { LoaderPaths } from './hook-paths.ts'
import { shellPath } from './modprobe.ts'

/**
 * What both hooks share. The first line in the log is ours, then come modprobe's words, after a failure the kernel's: together less
 * than the 4096 bytes that the kubelet keeps. Only built-ins of the shell; nothing fails because the log cannot be written (a failed
 * redirection of a special built-in such as `:` would end dash).
 */
export const telling = (paths: LoaderPaths): string => `export LC_ALL=C
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
