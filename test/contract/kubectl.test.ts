// The kubectls of this machine, oldest and newest, with the served model: what people do with a cluster works as they know it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { crds } from '../../src/core/resources.ts'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import { createCluster, type ModelCluster } from '../../src/model/cluster.ts'
import { keepPace } from '../../src/model/real-time.ts'
import { type ServedModel, serveModel } from '../../src/model/serve.ts'
import { realClock } from '../../src/shell/clock.ts'

/** `kubectl` in the PATH, and beside the real file those with a version in their name; of several the oldest and the newest. */
function kubectls(): readonly string[] {
  const found = (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'kubectl'))
  const first = found.find(file => existsSync(file))
  if (first === undefined) return []
  const folder = dirname(realpathSync(first))
  const minor = (name: string) => Number(/^kubectl\.1\.(\d+)$/.exec(name)?.[1] ?? Number.NaN)
  const versions = readdirSync(folder)
    .filter(name => !Number.isNaN(minor(name)))
    .sort((a, b) => minor(a) - minor(b))
  const chosen = [...new Set([versions.at(0), versions.at(-1)])].flatMap(name => (name === undefined ? [] : [join(folder, name)]))
  return chosen.length === 0 ? [first] : chosen
}

const module = (image: string) => `apiVersion: kmm.sigs.x-k8s.io/v1beta1
kind: Module
metadata: {name: a, namespace: team}
spec:
  selector: {}
  moduleLoader:
    container:
      modprobe: {moduleName: a}
      kernelMappings: [{regexp: '^.+$', containerImage: '${image}'}]
`
const daemonSet = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: b, namespace: team}
spec:
  selector: {matchLabels: {app: b}}
  template:
    metadata: {labels: {app: b}}
    spec: {containers: [{name: b, image: registry.example/b:1}]}
`

const programs = kubectls()
if (programs.length === 0 && process.env['CI'] === 'true') throw new Error('CI=true and there is no kubectl in the PATH')
if (programs.length === 0) process.stderr.write('SKIPPED: there is no kubectl in the PATH\n')

for (const program of programs.length === 0 ? [''] : programs) {
  void describe(program === '' ? 'kubectl' : `kubectl ${program.split('/').at(-1) ?? ''}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kmm-kubectl-'))
    let cluster: ModelCluster
    let served: ServedModel
    let endPace = () => {}
    before(async () => {
      cluster = createCluster({ start: new Date().toISOString() })
      for (const crd of customResourceDefinitions()) cluster.api.create(crds, crd)
      cluster.addNode({ name: 'n1', kernel: '6.1.0', labels: { 'node-role.kubernetes.io/worker': '' } })
      endPace = keepPace(cluster.clock, realClock)
      served = await serveModel(cluster.api, { clock: cluster.clock, nowMs: Date.now() })
      writeFileSync(join(folder, 'kubeconfig'), served.kubeconfig)
      writeFileSync(join(folder, 'module.yaml'), module('registry.example/a:1'))
      writeFileSync(join(folder, 'daemonset.yaml'), daemonSet)
    })
    after(async () => {
      endPace()
      await served.close()
      rmSync(folder, { recursive: true })
    })

    const run = (command: string, environment: Readonly<Record<string, string>> = {}): Promise<string> =>
      new Promise((resolve, reject) => {
        const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'kubeconfig'), ...environment }
        execFile(program, command.split(' '), { cwd: folder, env, timeout: 20_000 }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout)
          else reject(new Error(`kubectl ${command}: ${stderr}${stdout}`))
        })
      })
    const does = (sentence: string, story: () => Promise<void>) =>
      void it(sentence, context => (program === '' ? context.skip('there is no kubectl in the PATH') : story()))

    does('shows nodes as it does those of a real cluster', async () => {
      assert.match(await run('get nodes'), /^NAME +STATUS +ROLES +AGE +VERSION\nn1 +Ready +worker +\d+s +v/)
      assert.match(await run('get nodes -o wide'), /KERNEL-VERSION .*\n.* 6\.1\.0 /)
      assert.match(await run('describe node n1'), /Kernel Version: +6\.1\.0\n/)
    })

    does('creates, applies, changes and shows objects of our kind', async () => {
      await run('create namespace team')
      assert.match(await run('apply -f module.yaml'), /module.* created/)
      assert.match(await run('apply -f module.yaml'), /module.* unchanged/)
      writeFileSync(join(folder, 'module.yaml'), module('registry.example/a:2'))
      assert.match(await run('apply -f module.yaml'), /module.* configured/)
      assert.match(await run('apply --server-side --force-conflicts -f module.yaml'), /serverside-applied/)
      assert.match(await run('get modules -n team'), /^NAME +NODES +DESIRED +AVAILABLE +READY +REASON +VERSION +AGE\na /)
      assert.match(await run('describe module a -n team'), /Container Image: +registry\.example\/a:2/)
      await run('edit module a -n team', { KUBE_EDITOR: 'sed -i s/a:2/a:3/' })
      assert.match(await run('get module a -n team -o jsonpath={..containerImage}'), /^registry\.example\/a:3$/)
      assert.match(await run('explain module.spec.selector'), /Labels of the nodes/)
    })

    does('refuses a Module of the wrong shape with the path of the field', async () => {
      writeFileSync(join(folder, 'wrong.yaml'), module('registry.example/a:1').replace('selector: {}', 'selector: 5'))
      await assert.rejects(run('apply -f wrong.yaml'), /spec\.selector/)
    })

    does('runs a DaemonSet and waits for it', async () => {
      cluster.registry.push('registry.example/b:1', { files: {} })
      assert.match(await run('apply -f daemonset.yaml'), /created/)
      assert.match(await run('get daemonset b -n team'), /^NAME +DESIRED +CURRENT +READY .*\nb +1 +1 +/)
      assert.match(await run('get pods -n team'), /^NAME +READY +STATUS +RESTARTS +AGE\nb-/)
      assert.match(await run('get events -n team'), /daemonset\/b +Created pod/)
    })

    does('labels, cordons, drains and taints nodes, and sees it in a watch', async () => {
      const watch = run('get nodes -w --request-timeout=3s').catch((error: Error) => error.message)
      await run('label node n1 color=red')
      await run('cordon n1')
      assert.match(await run('get nodes -l color=red'), /n1 +Ready,SchedulingDisabled/)
      await run('drain n1 --ignore-daemonsets')
      await run('uncordon n1')
      await run('taint node n1 a=b:NoSchedule')
      assert.match(await watch, /n1 +Ready,SchedulingDisabled/)
    })

    does('deletes and waits until it is gone', async () => {
      assert.match(await run('delete module a -n team --timeout=10s'), /deleted/)
      assert.match(await run('delete daemonset b -n team --timeout=10s'), /deleted/)
      assert.match(await run('auth can-i delete pods'), /^yes/)
    })
  })
}
