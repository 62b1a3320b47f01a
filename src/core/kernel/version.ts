// A kernel version (`uname -r`, Node status.nodeInfo.kernelVersion) as a label value, as part of an image's tag, and in pieces.
import { createHash } from 'node:crypto'

/** Most characters of a label value (Kubernetes, "Labels and Selectors"). */
const labelLimit = 63

/** Kernels built from a changed source tree end in `+`; the original knew them without it (behaviour.md 3.2). */
export const withoutPlus = (kernel: string): string => (kernel.endsWith('+') ? kernel.slice(0, -1) : kernel)

/**
 * The kernel as a label value (decisions.md 10). A kernel without its final `+` that is legal stays as it is: running DaemonSets
 * select it. In any other, illegal characters become `_` and illegal ends go; as this makes different kernels alike (`6.1+deb` and
 * the legal `6.1_deb`), such a value ends in a digest of the kernel. Only `x` and `x+` share a value, as in the original.
 */
export function kernelLabelValue(kernel: string): string {
  const plain = withoutPlus(kernel)
  if (plain.length <= labelLimit && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(plain)) return plain
  if (plain === '') return ''
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, 10)
  const readable = plain
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, labelLimit - digest.length - 1)
    .replace(/[^A-Za-z0-9]+$/, '')
  return readable === '' ? digest : `${readable}-${digest}`
}

/** Text that may stand in an image's tag: what a tag cannot hold becomes `_` (decisions.md 10). */
export const kernelTag = (text: string): string => text.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^[.-]/, '_')

export type KernelPieces = { readonly x: string; readonly y: string; readonly z: string; readonly xyz: string }

/**
 * `6.0.15-300.fc37.x86_64` -> 6, 0, 15 and 6.0.15: the pieces between `.`, `,` and `-` (behaviour.md 3.5), without a final `+`.
 * Missing pieces are empty, and `xyz` holds only those that are there.
 */
export function kernelPieces(kernel: string): KernelPieces {
  const pieces = withoutPlus(kernel).split(/[.,-]/)
  const [x = '', y = '', z = ''] = pieces
  return { x, y, z, xyz: pieces.slice(0, 3).join('.') }
}
