// Problems of loading and unloading, in the words of modprobe and of the kernel (kubelet-facts.md).
import { entry, type OnNode, quote, type Words } from './problem-entry.ts'

export const driverProblems = {
  NoShellInImage: entry(
    'on-change',
    (p: OnNode & { image: string }) =>
      `image ${p.image} of Module ${p.module} has no /bin/sh, so nothing can be loaded on node ${p.node}`,
    'Build the image from a base that has /bin/sh, modprobe (of kmod, not busybox) and sleep.',
  ),
  NoModprobeInImage: entry(
    'on-change',
    (p: OnNode & { image: string }) =>
      `image ${p.image} of Module ${p.module} has no modprobe, so nothing can be loaded on node ${p.node}`,
    'Install kmod in the image; the modprobe of busybox does not do.',
  ),
  KeyRejected: entry(
    'on-change',
    (p: OnNode & Words) => `the kernel of node ${p.node} does not trust the signature of Module ${p.module}${quote(p.words)}`,
    'Sign the module with a key that is enrolled on the node (mokutil --list-enrolled), or enroll its certificate (mokutil --import) and reboot.',
  ),
  ModuleNotFound: entry(
    'on-change',
    (p: OnNode & Words & { image: string; kernel: string }) =>
      `image ${p.image} of Module ${p.module} holds no such module for kernel ${p.kernel} of node ${p.node}${quote(p.words)}`,
    'Put the .ko under DIRNAME/lib/modules/KERNEL of the image and run `depmod -b DIRNAME KERNEL` at the end of its build.',
  ),
  UnknownSymbol: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the driver of Module ${p.module} needs a symbol that the kernel of node ${p.node} does not have${quote(p.words)}`,
    'Build it against this very kernel, and ship the modules it depends on in the image (run depmod).',
  ),
  FirmwareMissing: entry(
    'on-change',
    (p: OnNode & Words) => `the driver of Module ${p.module} did not find its firmware on node ${p.node}${quote(p.words)}`,
    'Put the file under modprobe.firmwarePath in the image, and let the kernel look in /var/lib/firmware (firmware_class.path).',
  ),
  FirmwarePathDiffers: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the kernel of node ${p.node} looks for firmware in another directory than Module ${p.module} may use${quote(p.words)}`,
    'Take firmware_class.path from the kernel command line of the node, or give the setting firmwareClassPath the same value.',
  ),
  UnknownSymbolOrFirmware: entry(
    'on-change',
    (p: OnNode & Words) =>
      `the driver of Module ${p.module} needs a symbol or a firmware file that node ${p.node} does not have${quote(p.words)}`,
    'Look at `dmesg` on the node: it names the symbol (build against this kernel, ship its dependencies) or the firmware file (set modprobe.firmwarePath).',
  ),
  WrongFormat: entry(
    'on-change',
    (p: OnNode & Words & { kernel: string }) =>
      `the driver of Module ${p.module} was built for another kernel than ${p.kernel} of node ${p.node}${quote(p.words)}`,
    'Build it against the headers of this very kernel; compare `modinfo -F vermagic` with `uname -r`.',
  ),
  InTreeTwinLoaded: entry(
    'on-change',
    (p: OnNode & Words) =>
      `another module with the same name is already in the kernel of node ${p.node}, so Module ${p.module} cannot be loaded${quote(p.words)}`,
    'Set inTreeModuleToRemove to the module that has to go, or keep the in-tree one from loading at boot.',
  ),
  NotPermitted: entry(
    'on-change',
    (p: OnNode & Words) => `the loader of Module ${p.module} may not load modules on node ${p.node}${quote(p.words)}`,
    'Let its pods have CAP_SYS_MODULE (service account, SCC, seccomp), and see whether the kernel is locked down.',
  ),
  LoadFailed: entry(
    'backoff',
    (p: OnNode & Words) => `loading Module ${p.module} failed on node ${p.node}${quote(p.words)}`,
    'The words are those of modprobe and of the kernel; `dmesg` on the node may say more. It is tried again by itself, with growing pauses.',
  ),
  StillLoaded: entry(
    'on-change',
    (p: OnNode & Words & { pod: string }) =>
      `the old driver of Module ${p.module} is still loaded on node ${p.node}: its unload failed (pod ${p.pod})${quote(p.words)}`,
    'Stop what uses the driver, then reboot the node, or unload it by hand and run `kmm release NODE MODULE`. Until then nothing newer is started there.',
  ),
}
