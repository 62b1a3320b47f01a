import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { type Clock, realClock } from '../../src/shell/clock.ts'
import type { ConnectionConfig } from '../../src/shell/kube/connection.ts'
import { type HttpsTransport, httpsTransport } from '../../src/shell/kube/https.ts'
import { issue, makeAuthority } from '../control-plane/certificates.ts'
import { json, startServer, type TestServer } from './server.ts'

let server: TestServer
let transport: HttpsTransport
let aheadMs = 0
const clock: Clock = { ...realClock, monotonicMs: () => performance.now() + aheadMs }

before(async () => {
  server = await startServer()
})
after(() => server.close())
afterEach(() => transport.close())

function open(config: ConnectionConfig): () => Promise<number> {
  transport = httpsTransport(config, { userAgent: 'kmm/1', clock })
  return async () => (await transport({ method: 'GET', path: '/x', deadlineMs: 5000 }, new AbortController().signal)).status
}

const newFolder = () => mkdtemp(join(server.folder, 'own-'))
const pemFiles = (certFile: string, keyFile: string) => ({ certificate: { file: certFile }, key: { file: keyFile } })

describe("the server's certificate", () => {
  it('of another authority is refused, with what to check', async () => {
    const other = await makeAuthority(await newFolder(), 'other')
    const ask = open({ ...server.config, authority: { file: other.certFile } })
    await assert.rejects(ask(), {
      what: 'certificate',
      message: /not signed by the trusted authority; check certificate-authority/,
    })
  })

  it('is refused where no authority is given and the system does not know it', async () => {
    const ask = open({ server: server.config.server, serverCertificate: 'verify' })
    await assert.rejects(ask(), { what: 'certificate' })
  })

  it('for another name is refused; tls-server-name says which name it has', async () => {
    const url = server.config.server.replace('127.0.0.1', 'localhost')
    await assert.rejects(open({ ...server.config, server: url })(), {
      what: 'certificate',
      message: /for another name.*tls-server-name/,
    })
    transport.close()
    assert.equal(await open({ ...server.config, server: url, serverName: 'kube.test' })(), 200)
  })

  it('is not looked at with insecure-skip-tls-verify', async () => {
    assert.equal(await open({ server: server.config.server, serverCertificate: 'do not verify' })(), 200)
  })

  it('that has expired is told as such', async () => {
    const expired = await startServer()
    try {
      const pair = await issue(expired.authority, {
        name: 'old',
        commonName: 'old',
        alternativeNames: ['IP:127.0.0.1'],
        days: -1,
      })
      expired.present({ cert: await readFile(pair.certFile, 'utf8'), key: await readFile(pair.keyFile, 'utf8') })
      await assert.rejects(open(expired.config)(), { what: 'certificate', message: /has expired/ })
    } finally {
      await expired.close()
    }
  })

  it('of a new authority is trusted as soon as the file holds it', async () => {
    const folder = await newFolder()
    const file = join(folder, 'trusted.crt')
    const next = await makeAuthority(folder, 'next')
    const pair = await issue(next, { name: 'next-server', commonName: 'next', alternativeNames: ['IP:127.0.0.1'] })
    const rotating = await startServer()
    try {
      await copyFile(rotating.authority.certFile, file)
      const ask = open({ ...rotating.config, authority: { file } })
      assert.equal(await ask(), 200)
      rotating.present({ cert: await readFile(pair.certFile, 'utf8'), key: await readFile(pair.keyFile, 'utf8') })
      await writeFile(file, `${await readFile(rotating.authority.certFile, 'utf8')}${await readFile(next.certFile, 'utf8')}`)
      aheadMs += 1001
      for (const socket of rotating.openSockets()) socket.destroy()
      assert.equal(await ask(), 200)
      assert.equal(rotating.connections(), 2)
    } finally {
      await rotating.close()
    }
  })
})

describe('a client certificate', () => {
  it('is presented, from files and from the kubeconfig itself', async () => {
    const pair = await issue(server.authority, { name: 'jane', commonName: 'jane' })
    await open({ ...server.config, clientCertificate: pemFiles(pair.certFile, pair.keyFile) })()
    assert.equal(server.seen.at(-1)?.client, 'jane')
    transport.close()
    const text = {
      certificate: { text: await readFile(pair.certFile, 'utf8') },
      key: { text: await readFile(pair.keyFile, 'utf8') },
    }
    await open({ ...server.config, clientCertificate: text })()
    assert.equal(server.seen.at(-1)?.client, 'jane')
  })

  it('is presented anew within a second of its replacement; while only one of the files is replaced the old one serves', async () => {
    const [first, second] = [
      await issue(server.authority, { name: 'first', commonName: 'first' }),
      await issue(server.authority, { name: 'second', commonName: 'second' }),
    ]
    const folder = await newFolder()
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    await copyFile(first.certFile, certFile)
    await copyFile(first.keyFile, keyFile)
    const ask = open({ ...server.config, clientCertificate: pemFiles(certFile, keyFile) })
    const client = async () => {
      aheadMs += 1001
      await ask()
      return server.seen.at(-1)?.client
    }
    assert.equal(await client(), 'first')
    await copyFile(second.certFile, certFile)
    assert.equal(await client(), 'first')
    await copyFile(second.keyFile, keyFile)
    assert.equal(await client(), 'second')
  })

  it('leaves open watches alone when it is replaced, and their old connections go when they end', async () => {
    const folder = await newFolder()
    const file = join(folder, 'trusted.crt')
    await copyFile(server.authority.certFile, file)
    const ask = open({ ...server.config, authority: { file } })
    server.answer((seen, response) => {
      if (seen.url.includes('watch')) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      else json(response, 200, {})
    })
    const stop = new AbortController()
    const { stream } = await transport({ method: 'GET', path: '/w', query: { watch: 'true' }, deadlineMs: 2000 }, stop.signal)
    await ask()
    const openBefore = server.openSockets().length
    await writeFile(file, `# rotated\n${await readFile(server.authority.certFile, 'utf8')}`)
    aheadMs += 1001
    await ask()
    assert.equal(server.openSockets().length, openBefore + 1)
    stop.abort()
    await assert.rejects(async () => {
      for await (const _ of stream ?? []) assert.fail('no event was sent')
    })
    for (let i = 0; i < 100 && server.openSockets().length > 1; i++) await new Promise(resolve => setTimeout(resolve, 10))
    assert.equal(server.openSockets().length, 1)
    server.answer((_, response) => json(response, 200, {}))
  })

  it('that is none is refused before anything is sent', async () => {
    const clientCertificate = { certificate: { text: 'nonsense' }, key: { text: 'nonsense' } }
    await assert.rejects(open({ ...server.config, clientCertificate })(), { what: 'credentials', message: /cannot be used/ })
  })
})

describe('a server that cannot be reached', () => {
  it('is told with what to check', async () => {
    const ask = open({ ...server.config, server: 'https://127.0.0.1:1' })
    await assert.rejects(ask(), { what: 'connection', message: /nothing listens there.*\(ECONNREFUSED\)/ })
  })

  it('that speaks no TLS is told as such', async () => {
    const plain = createServer(socket => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    const address = plain.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await assert.rejects(open({ ...server.config, server: `https://127.0.0.1:${port}` })(), {
      what: 'certificate',
      message: /speak TLS there/,
    })
    plain.close()
  })
})

describe('a proxy', () => {
  it('carries the requests, with the certificates of the server still checked', async () => {
    await mkdir(server.folder, { recursive: true })
    const asked: string[] = []
    const proxy = createServer(socket => {
      socket.on('error', () => undefined)
      socket.once('data', head => {
        asked.push(head.toString().split('\r\n')[0] ?? '')
        const onward = connect(server.port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
          socket.pipe(onward).pipe(socket)
        })
        onward.on('error', () => socket.destroy())
        socket.on('close', () => onward.destroy())
      })
    })
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    const address = proxy.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const ask = open({ ...server.config, proxy: { HTTPS_PROXY: `http://127.0.0.1:${port}` } })
    assert.equal(await ask(), 200)
    assert.equal(await ask(), 200)
    assert.deepEqual(asked, [`CONNECT 127.0.0.1:${server.port} HTTP/1.1`])
    transport.close()
    const other = await makeAuthority(await newFolder(), 'other')
    const distrusting = open({
      ...server.config,
      authority: { file: other.certFile },
      proxy: { HTTPS_PROXY: `http://127.0.0.1:${port}` },
    })
    await assert.rejects(distrusting(), { what: 'certificate' })
    transport.close()
    const direct = open({ ...server.config, proxy: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' } })
    assert.equal(await direct(), 200)
    proxy.close()
  })
})
