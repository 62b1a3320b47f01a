/** Where the scripts find things in the container. A test puts its own folders in their place. */
export type LoaderPaths = {
  /**
   * Not empty in a container that has loaded its driver. /dev is a file system that the runtime makes anew for each container: a
   * restarted one has no mark, and it can be written where the root file system is read-only.
   */
  readonly mark: string
  /** Pid of the load hook while it works; empty when it has failed by itself. As the mark, made anew with each container. */
  readonly loadHook: string
  /** A directory for each pid of the container. */
  readonly processes: string
  readonly terminationLog: string
  readonly bootId: string
  readonly uptime: string
  readonly sysModule: string
  readonly hostFirmware: string
  readonly firmwareSearchPath: string
}

export const loaderPaths: LoaderPaths = {
  mark: '/dev/kmm-loaded',
  loadHook: '/dev/kmm-load-hook',
  processes: '/proc',
  terminationLog: '/dev/termination-log',
  bootId: '/proc/sys/kernel/random/boot_id',
  uptime: '/proc/uptime',
  sysModule: '/sys/module',
  hostFirmware: '/var/lib/firmware',
  firmwareSearchPath: '/sys/module/firmware_class/parameters/path',
}
