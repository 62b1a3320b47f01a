import { builtInResources, createApiServer } from '../../src/model/api-server.ts'
import { realClock } from '../../src/shell/clock.ts'
import { contract } from './suite.ts'

contract('the model', async () => {
  const { transport } = createApiServer({ clock: realClock, resources: builtInResources })
  return { transport, hasControllers: false, stop: async () => {} }
})
