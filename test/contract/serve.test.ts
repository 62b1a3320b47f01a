// The contract suite through real sockets: what clients of the served model get is what clients of a real server get.

import { builtInResources, createApiServer } from '../../src/model/api-server.ts'
import { serveModel } from '../../src/model/serve.ts'
import { realClock } from '../../src/shell/clock.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { contract } from './suite.ts'

contract('the model behind HTTPS', async () => {
  const served = await serveModel(createApiServer({ clock: realClock, resources: builtInResources }), {
    clock: realClock,
    nowMs: realClock.nowMs(),
  })
  const transport = httpsTransport(
    { server: served.url, authority: { text: served.certificate }, serverCertificate: 'verify' },
    { userAgent: 'contract/1' },
  )
  const stop = async () => {
    transport.close()
    await served.close()
  }
  return { transport, hasControllers: false, stop }
})
