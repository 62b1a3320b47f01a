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
