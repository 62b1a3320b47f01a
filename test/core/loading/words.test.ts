import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadFailure } from '../../../src/core/loading/reason.ts'
import { parseWords } from '../../../src/core/loading/words.ts'

describe('Words of a loader', () => {
  it('are what it says, in which boot, modprobe and the kernel', () => {
    const message = 'kmm load failed boot-1\ninsmod b.ko\nmodprobe: ERROR\nkernel:\n[ 1.2] first\n[ 1.3] second\n'
    assert.deepEqual(parseWords(message), {
      said: 'load failed',
      bootId: 'boot-1',
      words: 'insmod b.ko\nmodprobe: ERROR',
      kernelLog: '[ 1.2] first\n[ 1.3] second',
    })
  })

  for (const said of ['loaded', 'load failed', 'unloaded', 'unload failed'] as const) {
    it(`may be only: ${said}`, () => {
      assert.deepEqual(parseWords(`kmm ${said} boot-1`), { said, bootId: 'boot-1', words: '', kernelLog: '' })
    })
  }

  it('name no boot where it could not be read', () => {
    assert.deepEqual(parseWords('kmm loaded unknown\n'), { said: 'loaded', words: '', kernelLog: '' })
  })

  it('of the kernel are known by their time stamps where no heading says so', () => {
    for (const line of ['[   12.345678] x: Unknown symbol y', '<4>[12.3] x', '[Mon Nov 23 01:02:03 2026] x']) {
      assert.equal(parseWords(`kmm load failed boot-1\nmodprobe: ERROR\n${line}`)?.kernelLog, line)
    }
  })

  for (const message of [
    '',
    'modprobe: FATAL: Module x is in use.\n',
    'kmm',
    'kmm exploded boot-1',
    ' kmm loaded boot-1',
    'kmm loaded ',
  ]) {
    it(`are not found in ${JSON.stringify(message)}`, () => assert.equal(parseWords(message), undefined))
  }
})

describe('The reason of a failed load', () => {
  const inserted = (why: string) => `modprobe: ERROR: could not insert 'kmm_ci_a': ${why}`
  const symbol = inserted('Unknown symbol in module, or unknown parameter (see dmesg)')
  const unknown = '[12.3] kmm_ci_a: Unknown symbol kmm_ci_b_value (err -2)'
  const firmware = '[12.3] kmm_ci_a 0000:00: Direct firmware load for kmm/a.bin failed with error -2'
  const twin = '[12.3] kmm_ci_a: disagrees about version of symbol module_layout'
  const reasons: readonly [string, string, ReturnType<typeof loadFailure>][] = [
    ['modprobe: FATAL: Module kmm_ci_a not found in directory /opt/lib/modules/6.1.0-50-cloud-amd64', '', 'ModuleNotFound'],
    ["modprobe: ERROR: could not open moddep file '/opt/lib/modules/6.1/modules.dep.bin'", '', 'ModuleNotFound'],
    [inserted('Key was rejected by service'), '', 'KeyRejected'],
    [inserted('Required key not available'), '', 'KeyRejected'],
    [inserted('Operation not permitted'), '[1.0] Lockdown: modprobe: unsigned module loading is restricted', 'KeyRejected'],
    [inserted('Operation not permitted'), '', 'NotPermitted'],
    [inserted('Permission denied'), '', 'NotPermitted'],
    [inserted('Invalid module format'), '', 'WrongFormat'],
    [inserted('Exec format error'), '', 'WrongFormat'],
    [inserted('Invalid argument'), twin, 'WrongFormat'],
    [inserted('Invalid argument'), '', 'LoadFailed'],
    [symbol, '', 'UnknownSymbolOrFirmware'],
    [symbol, '[1.0] eth0: link is up', 'UnknownSymbolOrFirmware'],
    [symbol, unknown, 'UnknownSymbol'],
    [symbol, firmware, 'FirmwareMissing'],
    [symbol, `${firmware}\n${unknown}`, 'UnknownSymbol'],
    [symbol, `${unknown}\n${firmware}\n[13.0] other`, 'FirmwareMissing'],
    [symbol, twin, 'WrongFormat'],
    [inserted('File exists'), '', 'InTreeTwinLoaded'],
    [inserted('Module already in kernel'), '', 'InTreeTwinLoaded'],
    ['/bin/sh: 75: modprobe: not found', '', 'NoModprobeInImage'],
    ['/bin/sh: line 75: modprobe: command not found', '', 'NoModprobeInImage'],
    ['exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown', '', 'NoShellInImage'],
    ['kmm: this node looks for firmware in /srv, not in /var/lib/firmware', '', 'FirmwarePathDiffers'],
    [inserted('No such device'), '', 'LoadFailed'],
    ['cp: cannot create regular file: Permission denied', '', 'LoadFailed'],
    ['modprobe: FATAL: Module mod_b is in use.', '', 'LoadFailed'],
    ['', '', 'LoadFailed'],
  ]
  for (const [words, kernelLog, reason] of reasons) {
    it(`${JSON.stringify(words.slice(-60))} with ${JSON.stringify(kernelLog.slice(-30))} is ${reason}`, () => {
      assert.equal(loadFailure(`insmod /opt/lib/modules/6.1/kmm_ci_b.ko\n${words}`, kernelLog), reason)
    })
  }

  it("is found in the kubelet's message, which quotes the whole hook first", () => {
    const hook = "modprobe: not found kmm: this node looks for firmware in %s, not in %s File exists ' exited with 0: "
    const message = `Exec lifecycle hook ([/bin/sh -c ${hook}]) for Container "module-loader" in Pod "p" failed - error: command '/bin/sh -c ${hook}' exited with 1: kmm load failed b\n${inserted('Key was rejected by service')}\n, message: "kmm"`
    assert.equal(loadFailure(message), 'KeyRejected')
  })
})
