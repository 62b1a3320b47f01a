// What the tests of `kmm simulate` share: a Module, two kernels, and what is read of the output.
import assert from 'node:assert/strict'
import { printYaml } from '../../src/shell/yaml.ts'
import { runKmm } from './run-kmm.ts'

export const fc37 = '6.0.15-300.fc37.x86_64'
export const el9 = '5.14.0-284.25.1.el9_2.x86_64'

/** A Module for all nodes and kernels, as YAML. */
export const driver = (name: string, container: object = {}, spec: object = {}) =>
  `${printYaml({
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name },
    spec: {
      selector: {},
      moduleLoader: {
        container: {
          modprobe: { moduleName: name },
          kernelMappings: [{ regexp: '.', containerImage: `r.example/org/${name}:1.0-\${KERNEL_FULL_VERSION}` }],
          ...container,
        },
      },
      ...spec,
    },
  })}---\n`

/** Runs `kmm simulate` on this input, which it has to accept without a word. */
export async function simulate(
  stdin: string,
  ...argv: readonly string[]
): Promise<{ readonly lines: readonly string[]; readonly out: string }> {
  const { code, out, err } = await runKmm(['simulate', ...(stdin === '' ? [] : ['-f', '-']), ...argv], stdin)
  assert.equal(code, 0, err)
  assert.equal(err, '')
  return { out, lines: out.split('\n') }
}

/** `node driver state reason` of each line about a change, in order. */
export const changesIn = (lines: readonly string[]) =>
  lines.flatMap(line => {
    const [, node, , , version, rest] = /^ +[0-9ms]+ {2}(\S+) +(\S+) +(\S+) +(\S+) +(.*)$/.exec(line) ?? []
    return node === undefined ? [] : [`${node} ${version} ${(rest ?? '').split(':')[0]?.replace(/ +/g, ' ')}`]
  })
