// Rules about image references and the variables in them (behaviour.md 3.5 and 6.5).
import { parseImageRef } from '../image-ref.ts'
import { type Found, has, inContainer, inMapping, type Rule, type Subject } from './rule.ts'
import { quoted } from './violation.ts'

const kernelVariables = ['KERNEL_FULL_VERSION', 'KERNEL_VERSION', 'KERNEL_XYZ', 'KERNEL_X', 'KERNEL_Y', 'KERNEL_Z'] as const
const imageVariables = [...kernelVariables, 'MOD_NAME', 'MOD_NAMESPACE'] as const

type Template = { readonly path: string; readonly field: string; readonly text: string; readonly variables: readonly string[] }

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
      ? [{ path: at('containerImage'), field: 'containerImage', text: containerImage, variables: imageVariables }]
      : []),
    ...(has(sign?.unsignedImage)
      ? [{ path: at('sign', 'unsignedImage'), field: 'unsignedImage', text: sign.unsignedImage, variables: kernelVariables }]
      : []),
    ...(sign?.filesToSign ?? []).map((text, index) => ({
      path: at('sign', 'filesToSign', index),
      field: 'filesToSign',
      text,
      variables: kernelVariables,
    })),
  ])
}

const reference = /\$(?:\$|\{([\p{L}\p{Nd}_]*)[^}\n]*\}|([\p{L}\p{Nd}_]+))/gu

const namesIn = (text: string) => [...text.matchAll(reference)].flatMap(([, braced, bare]) => braced ?? bare ?? [])

/** As the text looks for some kernel. Variables have the form of a kernel version without characters that a tag may not have. */
const sampleOf = (text: string) => text.replace(reference, whole => (whole === '$$' ? '$' : '6.0.15'))

const templateInvalid: Rule = {
  code: 'TemplateInvalid',
  on: 'both',
  severity: 'error',
  check: subject =>
    templatesIn(subject).flatMap(({ path, field, text }) =>
      sampleOf(text).includes('${')
        ? [{ path, message: `${field} ${quoted(text)} has a "\${" without its "}": write $$ for a dollar sign` }]
        : [],
    ),
}

const imageInvalid: Rule = {
  code: 'ImageInvalid',
  on: 'both',
  severity: 'error',
  check: subject => {
    const plugin = subject.module.spec.devicePlugin?.container.image
    const images = templatesIn(subject).filter(({ field, text }) => field !== 'filesToSign' && !sampleOf(text).includes('${'))
    return [
      ...images.flatMap(({ path, field, text }) => wrongImage(path, field, sampleOf(text))),
      ...(plugin === undefined ? [] : wrongImage('spec.devicePlugin.container.image', 'image', plugin)),
    ]
  },
}

function wrongImage(path: string, field: string, text: string): readonly Found[] {
  const parsed = parseImageRef(text)
  return 'error' in parsed ? [{ path, message: `${field} is no image: ${parsed.error}` }] : []
}

const variableUnknown: Rule = {
  code: 'VariableUnknown',
  on: 'both',
  severity: 'warning',
  check: subject =>
    templatesIn(subject).flatMap(({ path, field, text, variables }) =>
      [...new Set(namesIn(text))]
        .filter(name => !variables.includes(name))
        .map(name => ({
          path,
          message: `${field} uses \${${name}}, which is always empty: the variables are ${variables.join(', ')}`,
        })),
    ),
}

const mutableTag: Rule = {
  code: 'MutableTag',
  on: 'both',
  severity: 'warning',
  check: subject => {
    const plugin = subject.module.spec.devicePlugin?.container.image
    const images = templatesIn(subject).filter(({ field }) => field !== 'filesToSign')
    return [
      ...images.flatMap(({ path, field, text }) => wrongTag(path, field, text)),
      ...(plugin === undefined ? [] : wrongTag('spec.devicePlugin.container.image', 'image', plugin)),
    ]
  },
}

/** A new content behind the same name is seen by no one: neither by KMM nor by a node that has the image already. */
function wrongTag(path: string, field: string, text: string): readonly Found[] {
  const parsed = parseImageRef(sampleOf(text))
  if ('error' in parsed || parsed.digest !== undefined) return []
  if (parsed.tag === undefined) {
    return [
      {
        path,
        message: `${field} ${quoted(text)} has no tag, which means latest: nodes can end up with different content; give it a tag of its own or a digest`,
      },
    ]
  }
  return parsed.tag === 'latest'
    ? [
        {
          path,
          message: `${field} ${quoted(text)} has the tag latest, so nodes can end up with different content: give it a tag of its own or a digest`,
        },
      ]
    : []
}

export const imageRules: readonly Rule[] = [templateInvalid, imageInvalid, variableUnknown, mutableTag]
