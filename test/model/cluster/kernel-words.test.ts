// "Words of the kernel" of kubelet-facts.md, line by line, and the order of modprobe.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BenchOptions, createBench, release } from './run-script.ts'

const b = { name: 'kmm_ci_b' }
const a = { name: 'kmm_ci_a', depends: ['kmm_ci_b'] }
const dummy = { name: 'kmm_ci_dummy', registers: 'dummy' }
const load = 'modprobe -v -d /opt kmm_ci_a'

type Case = {
  readonly name: string
  readonly bench: BenchOptions
  readonly script: string
  readonly says: string | RegExp
  readonly code: number
  readonly log?: RegExp
}

const trusted = { signatures: 'enforced', trustedKeys: ['ours'] } as const
const refused = "modprobe: ERROR: could not insert 'kmm_ci_a': Key was rejected by service\n"

const cases: readonly Case[] = [
  {
    name: 'not in the image for this kernel',
    bench: {},
    script: load,
    code: 1,
    says: `modprobe: FATAL: Module kmm_ci_a not found in directory /opt/lib/modules/${release}\n`,
  },
  {
    name: 'files without modules.dep are not found',
    bench: { files: { [`/opt/lib/modules/${release}/extra/kmm_ci_a.ko`]: { kind: 'ko', name: 'kmm_ci_a', kernel: release } } },
    script: load,
    code: 1,
    says: /not found in directory/,
  },
  {
    name: 'unsigned under enforcement',
    bench: { ...trusted, modules: [{ name: 'kmm_ci_a' }] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: refused,
    log: /Loading of unsigned module is rejected$/,
  },
  {
    name: 'a foreign key under enforcement',
    bench: { ...trusted, modules: [{ name: 'kmm_ci_a', signer: 'theirs' }] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: refused,
    log: /Loading of module with unavailable key is rejected$/,
  },
  {
    name: 'tampered under enforcement',
    bench: { ...trusted, modules: [{ name: 'kmm_ci_a', signer: 'ours', tampered: true }] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: refused,
  },
  {
    name: 'another kernel build',
    bench: { modules: [{ name: 'kmm_ci_a', kernel: '6.1.0-47-cloud-amd64' }] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: "modprobe: ERROR: could not insert 'kmm_ci_a': Invalid module format\n",
    log: /disagrees about version of symbol module_layout$/,
  },
  {
    name: 'a missing dependency',
    bench: { modules: [a] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: "modprobe: ERROR: could not insert 'kmm_ci_a': Unknown symbol in module, or unknown parameter (see dmesg)\n",
    log: /kmm_ci_a: Unknown symbol kmm_ci_b_get \(err -2\)$/,
  },
  {
    name: 'missing firmware',
    bench: { modules: [{ name: 'kmm_ci_a', firmware: ['a.bin'] }] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 1,
    says: /Unknown symbol in module, or unknown parameter/,
    log: /Direct firmware load for a.bin failed with error -2$/,
  },
  {
    name: 'firmware that the node has',
    bench: { modules: [{ name: 'kmm_ci_a', firmware: ['a.bin'] }], nodeFirmware: ['a.bin'] },
    script: 'modprobe -d /opt kmm_ci_a',
    code: 0,
    says: '',
  },
  {
    name: 'an in-tree twin that is registered',
    bench: { modules: [dummy], hostModules: [{ name: 'dummy', registers: 'dummy' }] },
    script: 'modprobe dummy && modprobe -d /opt kmm_ci_dummy',
    code: 1,
    says: "modprobe: ERROR: could not insert 'kmm_ci_dummy': File exists\n",
  },
  {
    name: 'an in-tree twin that was removed before',
    bench: { modules: [dummy], hostModules: [{ name: 'dummy', registers: 'dummy' }] },
    script: 'modprobe dummy && modprobe -r dummy && modprobe -d /opt kmm_ci_dummy && lsmod | cut -d" " -f1',
    code: 0,
    says: 'Module\nkmm_ci_dummy\n',
  },
  {
    name: 'insmod of a loaded module',
    bench: { modules: [b] },
    script: `modprobe -d /opt kmm_ci_b; insmod /opt/lib/modules/${release}/extra/kmm_ci_b.ko`,
    code: 1,
    says: /insmod: ERROR: could not insert module .*: File exists/,
  },
  {
    name: 'modprobe of a loaded module is silent',
    bench: { modules: [b] },
    script: 'modprobe -d /opt kmm_ci_b; modprobe -v -d /opt kmm_ci_b',
    code: 0,
    says: '',
  },
  {
    name: 'in use on unload',
    bench: { modules: [a, b] },
    script: 'modprobe -d /opt kmm_ci_a; modprobe -r -d /opt kmm_ci_b',
    code: 1,
    says: 'modprobe: FATAL: Module kmm_ci_b is in use.\n',
  },
  {
    name: 'in use on unload, by rmmod',
    bench: { modules: [a, b] },
    script: 'modprobe -d /opt kmm_ci_a; rmmod kmm_ci_b',
    code: 1,
    says: 'rmmod: ERROR: Module kmm_ci_b is in use by: kmm_ci_a\n',
  },
  {
    name: 'no CAP_SYS_MODULE',
    bench: { modules: [b], privileges: [] },
    script: 'modprobe -d /opt kmm_ci_b',
    code: 1,
    says: "modprobe: ERROR: could not insert 'kmm_ci_b': Operation not permitted\n",
  },
  {
    name: 'signed, key enrolled: (O), tainted 4096',
    bench: { ...trusted, modules: [{ name: 'kmm_ci_b', signer: 'ours' }] },
    script: 'modprobe -d /opt kmm_ci_b; cat /sys/module/kmm_ci_b/taint /proc/sys/kernel/tainted; grep -o "(.*)" /proc/modules',
    code: 0,
    says: 'O\n4096\n(O)\n',
  },
  {
    name: 'unsigned, not enforced: (OE), tainted 12288',
    bench: { modules: [b] },
    script:
      'modprobe -d /opt kmm_ci_b; cat /sys/module/kmm_ci_b/taint /proc/sys/kernel/tainted; grep -o "(.*)" /proc/modules; dmesg | grep -c "verification failed"',
    code: 0,
    says: 'OE\n12288\n(OE)\n1\n',
  },
  {
    name: 'dependencies first, with -v',
    bench: { modules: [a, b] },
    script: load,
    code: 0,
    says: `insmod /opt/lib/modules/${release}/extra/kmm_ci_b.ko \ninsmod /opt/lib/modules/${release}/extra/kmm_ci_a.ko \n`,
  },
  {
    name: '-r takes unused dependencies along',
    bench: { modules: [a, b] },
    script: `modprobe -d /opt kmm_ci_a; modprobe -rv -d /opt kmm_ci_a; cat /proc/modules`,
    code: 0,
    says: 'rmmod kmm_ci_a\nrmmod kmm_ci_b\n',
  },
  {
    name: '-r of a module that is not loaded exits 0',
    bench: { modules: [b] },
    script: 'modprobe -r -d /opt kmm_ci_b',
    code: 0,
    says: '',
  },
  {
    name: '-r of a module that does not exist exits 1',
    bench: {},
    script: 'modprobe -r -d /opt kmm_ci_b',
    code: 1,
    says: 'modprobe: FATAL: Module kmm_ci_b not found.\n',
  },
  {
    name: 'softdep is honoured with -d, and on the way out',
    bench: {
      modules: [{ name: 'x' }, { name: 'y' }, { name: 'z' }],
      files: { '/etc/modprobe.d/softdep.conf': { kind: 'text', text: 'softdep x pre: y\nsoftdep y pre: z\n' } },
    },
    script: 'modprobe -d /opt x; lsmod | cut -d" " -f1 | tail -n 3; modprobe -rv -d /opt x',
    code: 0,
    says: 'x\ny\nz\nrmmod x\nrmmod y\nrmmod z\n',
  },
  {
    name: 'a softdep that fails does not matter',
    bench: {
      modules: [{ name: 'x' }, { name: 'y', kernel: 'other' }],
      files: { '/etc/modprobe.d/s.conf': { kind: 'text', text: 'softdep x pre: y nothing\n' } },
    },
    script: 'modprobe -d /opt x; grep -c x /proc/modules',
    code: 0,
    says: '1\n',
  },
  {
    name: 'parameters reach the kernel',
    bench: { modules: [{ name: 'x', params: ['greeting'] }] },
    script: 'modprobe -v -d /opt x greeting=a,b; cat /sys/module/x/parameters/greeting',
    code: 0,
    says: `insmod /opt/lib/modules/${release}/extra/x.ko greeting=a,b\na,b\n`,
  },
  {
    name: 'an unknown parameter is only a line in the log',
    bench: { modules: [{ name: 'x' }] },
    script: 'modprobe -d /opt x nonsense=1; dmesg | grep -c "unknown parameter .nonsense. ignored"',
    code: 0,
    says: '1\n',
  },
  {
    name: '/sys is read-only in a container',
    bench: {},
    script: '{ printf /var/lib/firmware > /sys/module/firmware_class/parameters/path; } 2>&1 | grep -o "Read-only file system"',
    code: 0,
    says: 'Read-only file system\n',
  },
  {
    name: 'the modules of the host are mounted read-only',
    bench: {},
    script: `touch /lib/modules/${release}/x; rm /lib/modules/${release}/modules.dep`,
    code: 1,
    says: `touch: cannot touch '/lib/modules/${release}/x': Read-only file system\nrm: cannot remove '/lib/modules/${release}/modules.dep': Read-only file system\n`,
  },
  {
    name: 'the kernel log can be restricted',
    bench: { privileges: ['load modules'] },
    script: 'dmesg',
    code: 1,
    says: 'dmesg: read kernel buffer failed: Operation not permitted\n',
  },
  {
    name: '- and _ in names are equal',
    bench: { modules: [{ name: 'kmm_ci_b' }] },
    script: 'modprobe -d /opt kmm-ci-b; [ -e /sys/module/kmm_ci_b ] && echo there',
    code: 0,
    says: 'there\n',
  },
  {
    name: 'the boot id',
    bench: {},
    script: 'read -r id < /proc/sys/kernel/random/boot_id; echo $id',
    code: 0,
    says: '11111111-2222-3333-4444-555555555555\n',
  },
]

describe('modprobe on the kernel of the model', () => {
  for (const { name, bench, script, says, code, log } of cases) {
    it(name, () => {
      const { kernel, run } = createBench(bench)
      const result = run(script)
      if (typeof says === 'string') assert.equal(result.text, says)
      else assert.match(result.text, says)
      assert.equal(result.code, code)
      if (log !== undefined) assert.match(kernel.log.at(-1) ?? '', log)
    })
  }

  it('a module that somebody uses cannot be unloaded until it is let go', () => {
    const { kernel, run } = createBench({ modules: [b] })
    run('modprobe -d /opt kmm_ci_b')
    kernel.hold('kmm_ci_b')
    assert.equal(kernel.remove('kmm_ci_b'), 'EBUSY')
    assert.equal(run('modprobe -r -d /opt kmm_ci_b').text, 'modprobe: FATAL: Module kmm_ci_b is in use.\n')
    kernel.releaseHold('kmm_ci_b')
    assert.equal(run('modprobe -r -d /opt kmm_ci_b').code, 0)
    assert.deepEqual([...kernel.loaded.keys()], [])
  })
})
