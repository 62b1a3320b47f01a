import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultConfig, parseAddress, parseConfig, settingsOf } from '../../src/shell/settings.ts'
import { BadInput } from '../../src/shell/yaml.ts'

const upstream = `
healthProbeBindAddress: :8081
metricsBindAddress: 127.0.0.1:8080
webhookPort: 9443
leaderElection:
  enabled: true
  resourceID: kmm.sigs.x-k8s.io
`
const openshift = `
apiVersion: controller-runtime.sigs.k8s.io/v1alpha1
kind: ControllerManagerConfig
metadata:
  name: kmm
health:
  healthProbeBindAddress: :8081
metrics:
  bindAddress: 127.0.0.1:8080
webhook:
  port: 9443
leaderElection:
  leaderElect: true
  resourceName: kmm.sigs.x-k8s.io
`

describe('The config file', () => {
  for (const [edition, text] of Object.entries({ upstream, openshift })) {
    it(`of the ${edition} edition is understood whole, and its values are the defaults`, () => {
      assert.deepEqual(parseConfig(text, 'config.yaml'), { config: defaultConfig, unknownKeys: [] })
    })
  }

  it('may be empty', () => {
    for (const text of ['', '# nothing\n', '{}'])
      assert.deepEqual(parseConfig(text, 'config.yaml'), { config: defaultConfig, unknownKeys: [] })
  })

  const values: readonly (readonly [sentence: string, text: string, expected: object])[] = [
    ['sets an address of all interfaces', 'healthProbeBindAddress: :9000', { health: { host: '', port: 9000 } }],
    ['sets any free port', 'healthProbeBindAddress: 127.0.0.1:0', { health: { host: '127.0.0.1', port: 0 } }],
    ['sets an IPv6 address', 'health: { healthProbeBindAddress: "[::1]:1" }', { health: { host: '::1', port: 1 } }],
    ['turns metrics off by "0"', 'metricsBindAddress: "0"', { metrics: undefined }],
    [
      'turns election off',
      'leaderElection: { leaderElect: false }',
      { leaderElection: { enabled: false, name: 'kmm.sigs.x-k8s.io' } },
    ],
    ['names the Lease', 'leaderElection: { resourceID: mine }', { leaderElection: { enabled: true, name: 'mine' } }],
    ['sets where firmware is looked for', 'worker: { firmwareHostPath: /lib/fw }', { firmwareClassPath: '/lib/fw' }],
    ['takes an empty path for none', 'worker: { setFirmwareClassPath: "" }', { firmwareClassPath: undefined }],
  ]
  for (const [sentence, text, expected] of values) {
    it(sentence, () => {
      assert.deepEqual(parseConfig(text, 'config.yaml').config, { ...defaultConfig, ...expected })
    })
  }

  it('of a newer version is read, and what is not known is told', () => {
    const { config, unknownKeys } = parseConfig('webhookPort: 1\nworker: { newThing: { deep: 1 } }\nother: [1]\n', 'config.yaml')
    assert.deepEqual(config, { ...defaultConfig, webhookPort: 1 })
    assert.deepEqual(unknownKeys, ['worker.newThing.deep', 'other'])
  })

  const wrong: readonly (readonly [text: string, message: RegExp])[] = [
    ['webhookPort: "9443"', /^config\.yaml:1: webhookPort must be a number, and is "9443"$/],
    ['\nleaderElection:\n  enabled: 1\n', /^config\.yaml:3: leaderElection\.enabled must be a boolean, and is 1$/],
    ['healthProbeBindAddress: 8081', /^config\.yaml:1: healthProbeBindAddress must be a string, and is 8081$/],
    ['healthProbeBindAddress: localhost', /"localhost" is no address such as :8081/],
    ['metricsBindAddress: ":70000"', /":70000" is no address such as :8081/],
    ['webhookPort: [', /^config\.yaml:1: /],
  ]
  for (const [text, message] of wrong) {
    it(`says what is wrong with ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseConfig(text, 'config.yaml'),
        (error: unknown) => error instanceof BadInput && message.test(error.message),
      )
    })
  }
})

describe('An address', () => {
  it('is a host and a port', () => {
    assert.deepEqual(parseAddress('localhost:80', 'f'), { host: 'localhost', port: 80 })
    for (const text of ['80', '::1:80', 'host:', 'host:-1', 'host:65536', ''])
      assert.throws(() => parseAddress(text, 'f'), BadInput)
  })
})

describe('The environment', () => {
  it('names the namespace of the operator, before that of the service account', () => {
    assert.equal(settingsOf({ OPERATOR_NAMESPACE: 'a' }, defaultConfig, 'b').operatorNamespace, 'a')
    assert.equal(settingsOf({}, defaultConfig, 'b').operatorNamespace, 'b')
    assert.equal(settingsOf({ OPERATOR_NAMESPACE: '' }, defaultConfig, 'b').operatorNamespace, 'b')
  })

  it('must name it where nothing else does', () => {
    assert.throws(() => settingsOf({}, defaultConfig, undefined), /OPERATOR_NAMESPACE is not set: set it to the namespace/)
    assert.throws(() => settingsOf({ OPERATOR_NAMESPACE: '' }, defaultConfig, undefined), BadInput)
  })

  it('says whether a hub manages this cluster, as Go reads booleans', () => {
    const managed = (KMM_MANAGED: string) =>
      settingsOf({ OPERATOR_NAMESPACE: 'a', KMM_MANAGED }, defaultConfig, undefined).managed
    for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(managed(text), true, text)
    for (const text of ['', '0', 'f', 'F', 'false', 'yes', 'tRUE']) assert.equal(managed(text), false, text)
  })

  it('passes on the path of firmware only where it is set', () => {
    const config = { ...defaultConfig, firmwareClassPath: '/lib/fw' }
    assert.equal(settingsOf({ OPERATOR_NAMESPACE: 'a' }, config, undefined).firmwareClassPath, '/lib/fw')
    assert.ok(!('firmwareClassPath' in settingsOf({ OPERATOR_NAMESPACE: 'a' }, defaultConfig, undefined)))
  })
})
