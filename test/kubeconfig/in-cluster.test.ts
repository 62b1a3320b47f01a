import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inCluster } from '../../src/shell/kube/in-cluster.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-in-cluster-'))
})
after(() => rm(folder, { recursive: true, force: true }))

describe('a pod', () => {
  it('without a token is told what it lacks', async () => {
    await writeFile(join(folder, 'namespace'), 'openshift-kmm\n')
    await writeFile(join(folder, 'ca.crt'), 'x')
    await assert.rejects(
      inCluster({ host: '10.0.0.1', port: '443', folder }),
      /token: cannot be read: .*automountServiceAccountToken/,
    )
  })

  it('reaches its API server with the files of its service account', async () => {
    await writeFile(join(folder, 'token'), 't')
    assert.deepEqual(await inCluster({ host: '10.0.0.1', port: '443', folder }), {
      namespace: 'openshift-kmm',
      config: {
        server: 'https://10.0.0.1:443',
        authority: { file: join(folder, 'ca.crt') },
        serverCertificate: 'verify',
        bearer: { file: join(folder, 'token') },
      },
    })
  })

  it('of an IPv6 cluster gets an address in brackets', async () => {
    const { config } = await inCluster({ host: 'fd00::1', port: '443', folder })
    assert.equal(config.server, 'https://[fd00::1]:443')
  })

  it('is none without the variables of the service', async () => {
    await assert.rejects(inCluster({ host: undefined, port: '443', folder }), /this is no pod of a cluster.*pass --kubeconfig/)
  })
})
