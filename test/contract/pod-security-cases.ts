// What the label of a namespace refuses in pods, and how a server says so.
import { accepted, namespaces, refused, type Scenario } from './world.ts'

const loader = {
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { add: ['SYS_MODULE'] },
    runAsUser: 0,
    seLinuxOptions: { type: 'spc_t' },
  },
}
const hostPaths = { volumes: ['one', 'two'].map(name => ({ name, hostPath: { path: `/${name}` } })) }
const onlyOne = 'hostPath volumes (volume "one")'
const nothingSaid =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'

type Case = readonly [what: string, level: string, spec: object, container: object, words: string]

const cases: readonly Case[] = [
  [
    'what a loader needs',
    'baseline',
    hostPaths,
    loader,
    'non-default capabilities (container "c" must not include "SYS_MODULE" in securityContext.capabilities.add), hostPath volumes (volumes "one", "two"), seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "spc_t")',
  ],
  [
    'what a device plugin needs',
    'baseline',
    { volumes: hostPaths.volumes.slice(0, 1) },
    { securityContext: { privileged: true } },
    `${onlyOne}, privileged (container "c" must not set securityContext.privileged=true)`,
  ],
  [
    'the namespaces of the host',
    'baseline',
    { hostPID: true, hostNetwork: true },
    {},
    'host namespaces (hostNetwork=true, hostPID=true)',
  ],
  [
    'what a loader needs',
    'restricted',
    hostPaths,
    loader,
    'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "SYS_MODULE" in securityContext.capabilities.add), restricted volume types (volumes "one", "two" use restricted volume type "hostPath"), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), runAsUser=0 (container "c" must not set runAsUser=0), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  ['a pod that says nothing', 'restricted', {}, {}, nothingSaid],
]

export function podSecurityCases(scenario: Scenario): void {
  for (const [what, level, spec, container, words] of cases) {
    scenario(`a namespace that enforces ${level} refuses ${what}, in these words`, async world => {
      const namespace = world.unique(level)
      const labels = { 'pod-security.kubernetes.io/enforce': level }
      world.atEnd(() => world.remove(namespaces, namespace))
      accepted(await world.create(namespaces, { metadata: { name: namespace, labels } }), 201)
      const body = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec } }
      const reply = await world.request('POST', `/api/v1/namespaces/${namespace}/pods`, { body })
      refused(reply, 403, 'Forbidden', `pods "p" is forbidden: violates PodSecurity "${level}:latest": ${words}`)
    })
  }

  scenario('a namespace that enforces baseline takes a pod that asks for nothing', async world => {
    const namespace = world.unique('plain')
    const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' }
    world.atEnd(() => world.remove(namespaces, namespace))
    accepted(await world.create(namespaces, { metadata: { name: namespace, labels } }), 201)
    const body = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    accepted(await world.request('POST', `/api/v1/namespaces/${namespace}/pods`, { body }), 201)
  })
}
