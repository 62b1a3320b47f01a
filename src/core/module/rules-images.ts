// Rules about image references and the variables in them (behaviour.md 3.5 and 6.5).
import { parseImageRef } from '../image-ref.ts'
import { kernelVariables } from '../kernel/mapping.ts'
import { type Substituted, substitute } from '../template.ts'
import { has, inContainer, inMapping, type Rule, type Subject } from './rule.ts'
import { quoted } from './violation.ts'

const kernelNames = ['KERNEL_FULL_VERSION', 'KERNEL_VERSION', 'KERNEL_XYZ', 'KERNEL_X', 'KERNEL_Y', 'KERNEL_Z'] as const
const imageNames = [...kernelNames, 'MOD_NAME', 'MOD_NAMESPACE'] as const

type Template = {
  readonly path: string
  readonly field: string
  readonly text: string
  readonly variables: readonly string[] | undefined
}

/** Every text of the Module in which variables are replaced. */
function templatesIn({ container }: Subject): readonly Template[] {
  const sections = [
    { at: (...rest: readonly (string | number)[]) => inContainer(...rest), section: container },
    ...container.kernelMappings.map((mapping, index) => ({
      at: (...rest: readonly (string | number)[]) => inMapping(index, ...rest),
      section: mapping,
    })),
  ]
  return sections.flatMap(({ at, section: { containerImage, sign } }) => [
    ...(has(containerImage)
      ? [{ path: at('containerImage'), field: 'containerImage', text: containerImage, variables: imageNames }]
      : []),
    ...(has(sign?.unsignedImage)
      ? [{ path: at('sign', 'unsignedImage'), field: 'unsignedImage', text: sign.unsignedImage, variables: kernelNames }]
      : []),
    ...(sign?.filesToSign ?? []).map((text, index) => ({
      path: at('sign', 'filesToSign', index),
      field: 'filesToSign',
      text,
      variables: kernelNames,
    })),
  ])
}

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]*)[^}\n]*\}|([\p{L}\p{Nd}_]+))/gu

const namesIn = (text: string) => [...text.matchAll(reference)].flatMap(([, braced, bare]) => braced ?? bare ?? [])

const sampleValues: Readonly<Record<string, string>> = {
  ...kernelVariables('6.0.15-300.fc37.x86_64'),
  MOD_NAME: 'name',
  MOD_NAMESPACE: 'namespace',
}

/** As the text looks for some kernel; one whose version may stand in a tag as it is. */
const sampleOf = ({ text, variables = [] }: Template): Substituted =>
  substitute(text, Object.fromEntries(variables.map(name => [name, sampleValues[name] ?? ''])))

const templateInvalid: Rule = {
  code: 'TemplateInvalid',
  on: 'both',
  severity: 'error',
  check: subject =>
    templatesIn(subject).flatMap(template => {
      const sample = sampleOf(template)
      return 'error' in sample
        ? [{ path: template.path, message: `${template.field}: ${sample.error}; write $$ for a dollar sign` }]
        : []
    }),
}

/** The image of the device plugin has no variables. */
function imagesIn(subject: Subject): readonly Template[] {
  const plugin = subject.module.spec.devicePlugin?.container.image
  const own =
    plugin === undefined
      ? []
      : [{ path: 'spec.devicePlugin.container.image', field: 'image', text: plugin, variables: undefined }]
  return [...templatesIn(subject).filter(({ field }) => field !== 'filesToSign'), ...own]
}

const parsedOf = (template: Template) => {
  const sample = template.variables === undefined ? { text: template.text } : sampleOf(template)
  return 'error' in sample ? undefined : parseImageRef(sample.text)
}

const imageInvalid: Rule = {
  code: 'ImageInvalid',
  on: 'both',
  severity: 'error',
  check: subject =>
    imagesIn(subject).flatMap(template => {
      const parsed = parsedOf(template)
      return parsed !== undefined && 'error' in parsed
        ? [{ path: template.path, message: `${template.field} is no image: ${parsed.error}` }]
        : []
    }),
}

const variableUnknown: Rule = {
  code: 'VariableUnknown',
  on: 'both',
  severity: 'warning',
  check: subject =>
    templatesIn(subject).flatMap(({ path, field, text, variables = [] }) =>
      [...new Set(namesIn(text))]
        .filter(name => !variables.includes(name))
        .map(name => ({
          path,
          message: `${field} uses \${${name}}, which is always empty: the variables are ${variables.join(', ')}`,
        })),
    ),
}

/** A new content behind the same name is seen by no one: neither by KMM nor by a node that has the image already. */
const mutableTag: Rule = {
  code: 'MutableTag',
  on: 'both',
  severity: 'warning',
  check: subject =>
    imagesIn(subject).flatMap(template => {
      const parsed = parsedOf(template)
      if (parsed === undefined || 'error' in parsed || parsed.digest !== undefined || (parsed.tag ?? 'latest') !== 'latest')
        return []
      const how = parsed.tag === undefined ? 'no tag, which means latest' : 'the tag latest'
      const message = `${template.field} ${quoted(template.text)} has ${how}, so nodes can end up with different content: give it a tag of its own or a digest`
      return [{ path: template.path, message }]
    }),
}

export const imageRules: readonly Rule[] = [templateInvalid, imageInvalid, variableUnknown, mutableTag]
