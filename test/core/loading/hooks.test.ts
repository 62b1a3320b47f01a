import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { containerScript, type Loading, loadScript, startedScript, unloadScript } from '../../../src/core/loading/hooks.ts'
import { bootId, type LoaderContainer, loaderContainer } from './loader-container.ts'

const driver: Loading = { modprobe: { moduleName: 'mod_a', dirName: '/opt', parameters: ['param=1'] } }
const shells = ['/bin/dash', '/bin/bash'].filter(existsSync)

let container: LoaderContainer
beforeEach(() => {
  container = loaderContainer()
})
afterEach(() => container.remove())

const load = (loading = driver, shell = '/bin/sh') => container.run(loadScript(loading, container.paths), { shell })
const unload = (loading = driver, shell = '/bin/sh') => container.run(unloadScript(loading, container.paths), { shell })
const log = () => container.read('dev/termination-log') ?? ''
const mark = () => container.read('dev/kmm-loaded') ?? ''

describe('The load hook', () => {
  for (const shell of shells) {
    it(`leaves a mark and says that it has loaded, in ${shell}`, () => {
      container.program('modprobe', "echo 'insmod /opt/lib/modules/6.1/mod_a.ko param=1'")
      assert.deepEqual(load(driver, shell).code, 0)
      assert.deepEqual(container.calls('modprobe'), [['-v', '-d', '/opt', 'mod_a', 'param=1']])
      assert.equal(log(), `kmm loaded ${bootId}\ninsmod /opt/lib/modules/6.1/mod_a.ko param=1\n`)
      assert.notEqual(mark(), '')
    })

    it(`ends with modprobe's code, its words and those of the kernel, and without a mark, in ${shell}`, () => {
      container.program(
        'modprobe',
        'echo "modprobe: ERROR: could not insert \'mod_a\': Key was rejected by service" >&2',
        'exit 3',
      )
      container.program('dmesg', "echo '[   12.345678] Loading of unsigned module is rejected'")
      const { code, stderr } = load(driver, shell)
      assert.equal(code, 3)
      const told = `kmm load failed ${bootId}
modprobe: ERROR: could not insert 'mod_a': Key was rejected by service
kernel:
[   12.345678] Loading of unsigned module is rejected
`
      assert.equal(log(), told)
      assert.equal(stderr, told)
      assert.equal(mark(), '')
    })
  }

  it('keeps the last whole lines where modprobe and the kernel say too much', () => {
    container.program(
      'modprobe',
      'n=0; while [ $n -lt 400 ]; do echo "insmod number $n"; n=$((n+1)); done; echo FATAL >&2; exit 1',
    )
    container.program('dmesg', 'n=0; while [ $n -lt 400 ]; do echo "[$n.0] line"; n=$((n+1)); done')
    load()
    const [words = '', kernel = ''] = log().split('kernel:\n')
    assert.ok(Buffer.byteLength(log()) < 4096)
    assert.ok(words.length > 1900 && words.length < 2048 + 60)
    assert.ok(kernel.length > 1400 && kernel.length <= 1537)
    assert.match(words, /\ninsmod number 399\nFATAL\n$/)
    assert.match(words, /^kmm load failed \S+\ninsmod number \d+\n/)
    assert.match(kernel, /^\[\d+\.0\] line\n/)
  })

  for (const shell of shells) {
    it(`counts in bytes what it keeps, in ${shell}`, () => {
      container.program('modprobe', 'n=0; while [ $n -lt 100 ]; do echo öööööööööööööööööööö; n=$((n+1)); done; echo END; exit 1')
      load(driver, shell)
      assert.ok(Buffer.byteLength(log()) < 2048 + 70)
      assert.match(log(), /\nEND\n$/)
      container.program('modprobe', 'n=0; while [ $n -lt 3000 ]; do printf ö; n=$((n+1)); done; exit 1')
      load(driver, shell)
      assert.ok(Buffer.byteLength(log()) < 2048 + 70)
    })
  }

  it('says that there is no modprobe in the image', () => {
    rmSync(join(container.folder, 'bin/modprobe'))
    const { code } = container.run(loadScript(driver, container.paths), { onlyOwnPrograms: true })
    assert.equal(code, 127)
    assert.match(log(), /^kmm load failed .*\n.*modprobe: .*not found\n$/)
  })

  it('ends by what modprobe did, also where the log, the boot id and dmesg are missing', () => {
    const paths = { ...container.paths, terminationLog: '/nowhere/log', bootId: '/nowhere/boot_id' }
    container.program('dmesg', 'exit 127')
    assert.equal(container.run(loadScript(driver, paths)).code, 0)
    container.program('modprobe', 'exit 4')
    const failed = container.run(loadScript(driver, paths))
    assert.equal(failed.code, 4)
    assert.equal(failed.stderr, 'kmm load failed unknown\n')
  })

  it('loads nothing where no mark can be left', () => {
    const paths = { ...container.paths, mark: '/nowhere/mark' }
    const { code, stderr } = container.run(loadScript(driver, paths))
    assert.notEqual(code, 0)
    assert.match(stderr, /^kmm load failed .*\n.*\/nowhere\/mark/)
    assert.deepEqual(container.calls('modprobe'), [])
  })
})

describe('Removal of an in-tree module', () => {
  const loading: Loading = { ...driver, inTreeModuleToRemove: 'mod-b' }

  it("comes first, with the host's modules", () => {
    container.write('sys/module/mod_b/taint', '\n')
    assert.equal(load(loading).code, 0)
    assert.deepEqual(container.calls('modprobe'), [
      ['-r', 'mod-b'],
      ['-v', '-d', '/opt', 'mod_a', 'param=1'],
    ])
  })

  it('is skipped when the module in the kernel is out of tree, so ours', () => {
    container.write('sys/module/mod_b/taint', 'OE\n')
    assert.equal(load(loading).code, 0)
    assert.equal(container.calls('modprobe').length, 1)
  })

  it('that fails although the module is there is a failed load', () => {
    container.write('sys/module/mod_b/taint', '\n')
    container.program('modprobe', "echo 'modprobe: FATAL: Module mod_b is in use.' >&2; exit 1")
    assert.equal(load(loading).code, 1)
    assert.equal(container.calls('modprobe').length, 1)
    assert.match(log(), /^kmm load failed .*\nmodprobe: FATAL: Module mod_b is in use.\n$/)
  })

  it('that fails because the module is not loaded is no failure, and says nothing', () => {
    container.program('modprobe', 'case $1 in -r) echo "modprobe: FATAL: Module mod-b not found." >&2; exit 1 ;; esac')
    assert.equal(load(loading).code, 0)
    assert.equal(container.calls('modprobe').length, 2)
    assert.equal(log(), `kmm loaded ${bootId}\n`)
  })
})

describe('Firmware', () => {
  let loading: Loading
  beforeEach(() => {
    loading = { modprobe: { ...driver.modprobe, firmwarePath: join(container.folder, "image/it's firm ware") } }
    container.write("image/it's firm ware/a.bin", 'new')
    container.write("image/it's firm ware/vendor/deep/b c'\"\\.bin", 'new')
    container.write("image/it's firm ware/.hidden", 'image')
    container.write('host/firmware/.hidden', 'host')
    container.write('host/firmware/vendor/other.bin', 'host')
  })
  const host = (path: string) => container.read(`host/firmware/${path}`)

  it('is copied before the load', () => {
    container.program('modprobe', `[ -e '${container.paths.hostFirmware}/a.bin' ]`)
    assert.equal(load(loading).code, 0)
    assert.equal(host('vendor/deep/b c\'"\\.bin'), 'new')
    assert.equal(host('.hidden'), 'host')
  })

  for (const [when, modprobe, run] of [
    ['after a failed load', 'exit 1', () => load(loading)],
    [
      'before the unload',
      `case $1 in -rv) ! [ -e '@/a.bin' ] ;; esac`,
      () => {
        load(loading)
        const result = unload(loading)
        assert.equal(result.code, 0)
        return result
      },
    ],
  ] as const) {
    it(`is removed ${when}: its files and directories that are then empty, nothing else`, () => {
      container.program('modprobe', modprobe.replace('@', container.paths.hostFirmware))
      run()
      assert.equal(host('a.bin'), undefined)
      assert.ok(!existsSync(join(container.paths.hostFirmware, 'vendor/deep')))
      assert.equal(host('vendor/other.bin'), 'host')
      assert.equal(host('.hidden'), 'host')
    })
  }

  it('that cannot be copied fails the load before modprobe, in the words of cp', () => {
    container.program('cp', 'echo "cp: no space left" >&2; exit 1')
    assert.equal(load(loading).code, 1)
    assert.match(log(), /^kmm load failed .*\ncp: no space left\n/)
    assert.deepEqual(container.calls('modprobe'), [])
  })

  it('whose removal fails does not keep the driver from being unloaded', () => {
    load(loading)
    container.program('find', 'echo "find: broken" >&2; exit 1')
    assert.equal(unload(loading).code, 0)
    assert.equal(log(), `kmm unloaded ${bootId}\nfind: broken\n`)
  })

  describe('search path of the kernel', () => {
    const file = 'sys/module/firmware_class/parameters/path'
    const given = () => ({ ...loading, firmwareClassPath: '/var/lib/firmware' })

    it('is set where it is empty, without a newline', () => {
      container.write(file, '\n')
      assert.equal(load(given()).code, 0)
      assert.equal(container.read(file), '/var/lib/firmware')
    })

    it('is left alone where it is right', () => {
      container.write(file, '/var/lib/firmware\n')
      assert.equal(load(given()).code, 0)
      assert.equal(container.read(file), '/var/lib/firmware\n')
    })

    it('that somebody else has set is kept, and the load fails with a sentence that names both', () => {
      container.write(file, '/srv/firmware\n')
      assert.equal(load(given()).code, 1)
      assert.equal(container.read(file), '/srv/firmware\n')
      assert.match(log(), /\nkmm: this node looks for firmware in \/srv\/firmware, not in \/var\/lib\/firmware\n/)
      assert.equal(host('a.bin'), undefined)
      assert.deepEqual(container.calls('modprobe'), [])
    })

    it('is not looked at without the setting, or without firmware', () => {
      container.write(file, '/srv/firmware\n')
      assert.equal(load(loading).code, 0)
      assert.equal(load({ ...driver, firmwareClassPath: '/var/lib/firmware' }).code, 0)
    })
  })
})

describe('The unload hook', () => {
  it('does nothing and says nothing without the mark', () => {
    assert.deepEqual(unload(), { code: 0, stderr: '' })
    assert.deepEqual(container.calls('modprobe'), [])
    assert.equal(log(), '')
  })

  it('does nothing after a failed load, so that the words of the load stay', () => {
    container.program('modprobe', 'exit 1')
    load()
    assert.equal(unload().code, 0)
    assert.equal(log(), `kmm load failed ${bootId}\n`)
    assert.equal(container.calls('modprobe').length, 1)
  })

  for (const shell of shells) {
    it(`unloads, says so, and takes the mark away, in ${shell}`, () => {
      load(driver, shell)
      assert.equal(unload(driver, shell).code, 0)
      assert.deepEqual(container.calls('modprobe')[1], ['-rv', '-d', '/opt', 'mod_a'])
      assert.equal(log(), `kmm unloaded ${bootId}\n`)
      assert.equal(mark(), '')
    })

    it(`tries until it works, in ${shell}`, () => {
      load(driver, shell)
      const tries = join(container.folder, 'tries')
      container.program('modprobe', `echo x >> '${tries}'; [ $(wc -l < '${tries}') -ge 4 ] || { echo "in use" >&2; exit 1; }`)
      const { code, stderr } = unload(driver, shell)
      assert.equal(code, 0)
      assert.equal(log(), `kmm unloaded ${bootId}\n`)
      assert.deepEqual(container.calls('sleep'), [['1'], ['1'], ['1']])
      assert.equal(stderr, `kmm unload failed ${bootId}\nin use\nkmm unloaded ${bootId}\n`)
    })

    it(`gives up 30 seconds before the grace period ends, keeps the mark, and its words name the cause, in ${shell}`, () => {
      load(driver, shell)
      container.program('modprobe', 'echo "modprobe: FATAL: Module mod_a is in use." >&2; exit 1')
      assert.equal(unload(driver, shell).code, 1)
      assert.equal(container.calls('sleep').length, 570 / 30)
      assert.equal(log(), `kmm unload failed ${bootId}\nmodprobe: FATAL: Module mod_a is in use.\n`)
      assert.notEqual(mark(), '')
    })
  }

  it('counts its tries where the node does not tell the time', () => {
    load()
    container.program('modprobe', 'exit 1')
    const script = unloadScript(driver, { ...container.paths, uptime: '/nowhere' }).replace('+ 570', '+ 5')
    assert.equal(container.run(script).code, 1)
    assert.equal(container.calls('sleep').length, 5)
  })

  it('has told of each failed try when it is killed', async () => {
    load()
    container.program('modprobe', 'echo "in use" >&2; exit 1')
    container.program('sleep', 'exec /bin/sleep 5')
    const hook = spawn('/bin/sh', ['-c', unloadScript(driver, container.paths)], {
      env: { PATH: `${container.folder}/bin:/usr/bin:/bin` },
      stdio: 'ignore',
      detached: true,
    })
    const end = Date.now() + 5000
    while (!log().startsWith('kmm unload failed') && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 20))
    assert.ok(hook.pid !== undefined)
    process.kill(-hook.pid, 'SIGKILL')
    await once(hook, 'exit')
    assert.equal(log(), `kmm unload failed ${bootId}\nin use\n`)
  })
})

describe('The command of the container', () => {
  const command = () => container.run(containerScript(container.paths))
  const dead = '4194304' // one more than the highest pid there can be (proc(5), pid_max)

  for (const [says, hook, seconds] of [
    ['the load hook has not begun after a minute', undefined, 60],
    ['the load hook is still at work after 5 minutes', String(process.pid), 300],
    ['the load hook is cut', dead, 0],
    ['the load hook failed 10 seconds ago', '', 10],
  ] as const) {
    it(`ends by itself when ${says}`, () => {
      if (hook !== undefined) container.write('dev/kmm-load-hook', hook)
      assert.equal(command().code, 1)
      assert.equal(container.calls('sleep').length, seconds)
    })
  }

  it('stays when the load hook left the mark in the moment in which it was looked for', () => {
    container.write('dev/kmm-load-hook', dead)
    const between = containerScript(container.paths).replace('case $hook', `echo loaded > '${container.paths.mark}'; case $hook`)
    assert.equal(container.run(between).code, 0)
    assert.deepEqual(container.calls('sleep'), [['1'], ['infinity']])
  })

  it('sees the load hook at work, and after a failure an empty file', () => {
    container.program('modprobe', `read -r hook < '${container.paths.loadHook}' && [ -d "/proc/$hook" ] || echo nobody`)
    assert.equal(load().code, 0)
    assert.equal(log(), `kmm loaded ${bootId}\n`)
    container.program('modprobe', 'exit 1')
    assert.equal(load().code, 1)
    assert.equal(container.read('dev/kmm-load-hook'), '')
  })

  for (const [state, content] of [
    ['waits for the mark', ''],
    ['sleeps', 'loaded\n'],
  ] as const) {
    it(`ends at once with 0 on SIGTERM while it ${state}`, async () => {
      container.write('dev/kmm-loaded', content)
      chmodSync(join(container.folder, 'bin/sleep'), 0o644)
      const main = spawn('/bin/sh', ['-c', containerScript(container.paths)], { stdio: 'ignore', detached: true })
      await new Promise(resolve => setTimeout(resolve, 150))
      const started = Date.now()
      main.kill('SIGTERM')
      const [code] = await once(main, 'exit')
      assert.equal(code, 0)
      assert.ok(Date.now() - started < 1500)
      assert.ok(main.pid !== undefined)
      try {
        process.kill(-main.pid, 'SIGKILL')
      } catch {
        // its sleep has ended with it
      }
    })
  }

  it('goes on as soon as the mark is there', () => {
    mkdirSync(join(container.folder, 'dev'), { recursive: true })
    container.program('sleep', `case $1 in 1) echo loaded > '${container.paths.mark}' ;; esac`)
    assert.equal(container.run(containerScript(container.paths)).code, 0)
    assert.deepEqual(container.calls('sleep'), [['1'], ['infinity']])
  })
})

describe('The startup probe', () => {
  const probe = () => container.run(startedScript(container.paths)).code
  it('fails until the driver is loaded, and again when it is unloaded', () => {
    assert.equal(probe(), 1)
    container.program('modprobe', 'exit 1')
    load()
    assert.equal(probe(), 1)
    container.program('modprobe')
    load()
    assert.equal(probe(), 0)
    unload()
    assert.equal(probe(), 1)
  })
})
