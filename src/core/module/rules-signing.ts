// Rules about build and sign (behaviour.md 1.1, 3.3 and the end of 9.1).
import type { Sign } from '../../api/module.ts'
import { type Found, has, inContainer, inMapping, type Rule, type Subject } from './rule.ts'
import { quoted } from './violation.ts'

type Place<T> = { readonly value: T; readonly path: string }

const stepPath = (path: string, field: string) => `${path}.${field}`

/** Each place where the user wrote a sign section. */
function signPlaces({ written }: Subject): readonly Place<Sign>[] {
  const { sign, kernelMappings } = written.spec.moduleLoader.container
  return [
    ...(sign === undefined ? [] : [{ value: sign, path: inContainer('sign') }]),
    ...kernelMappings.flatMap((mapping, index) =>
      mapping.sign === undefined ? [] : [{ value: mapping.sign, path: inMapping(index, 'sign') }],
    ),
  ]
}

const bothSpellings: Rule = {
  code: 'BothSpellings',
  on: 'both',
  severity: 'error',
  check: subject => {
    const { imageRepoSecret, imageReposecret } = subject.written.spec
    const twice = (path: string, one: string, other: string): Found => ({
      path,
      message: `${one} and ${other} are two spellings of one field: keep ${one}`,
    })
    return [
      ...(imageRepoSecret !== undefined && imageReposecret !== undefined
        ? [twice('spec.imageReposecret', 'imageRepoSecret', 'imageReposecret')]
        : []),
      ...signPlaces(subject).flatMap(({ value, path }) => [
        ...(value.keySecret !== undefined && value.keysecret !== undefined
          ? [twice(stepPath(path, 'keysecret'), 'keySecret', 'keysecret')]
          : []),
        ...(value.certSecret !== undefined && value.certsecret !== undefined
          ? [twice(stepPath(path, 'certsecret'), 'certSecret', 'certsecret')]
          : []),
      ]),
    ]
  },
}

/** Without a build there must be an image whose modules are signed; the mapping's section inherits from the container's. */
const unsignedImageMissing: Rule = {
  code: 'UnsignedImageMissing',
  on: 'both',
  severity: 'error',
  check: ({ container }) => {
    const found = container.kernelMappings.flatMap((mapping, index) => {
      const isSigned = mapping.sign !== undefined || container.sign !== undefined
      const isBuilt = mapping.build !== undefined || container.build !== undefined
      if (!isSigned || isBuilt || has(mapping.sign?.unsignedImage) || has(container.sign?.unsignedImage)) return []
      const path = mapping.sign === undefined ? inContainer('sign') : inMapping(index, 'sign')
      const message = `sign needs an unsignedImage where nothing is built, so that it is known what to sign for kernelMappings[${index}]: name it, or add a build`
      return [{ path: stepPath(path, 'unsignedImage'), message }]
    })
    return found.filter(({ path }, index) => found.findIndex(other => other.path === path) === index)
  },
}

const nothingToSign: Rule = {
  code: 'NothingToSign',
  on: 'both',
  severity: 'warning',
  check: ({ container }) => {
    const inherited = container.sign?.filesToSign ?? []
    const found = container.kernelMappings.flatMap((mapping, index) => {
      if (mapping.sign === undefined && container.sign === undefined) return []
      if (inherited.length > 0 || (mapping.sign?.filesToSign ?? []).length > 0) return []
      const path = mapping.sign === undefined ? inContainer('sign') : inMapping(index, 'sign')
      return [
        {
          path: stepPath(path, 'filesToSign'),
          message: 'sign lists no filesToSign, so nothing is signed: list the path of each .ko in the image',
        },
      ]
    })
    return found.filter(({ path }, index) => found.findIndex(other => other.path === path) === index)
  },
}

const fileToSignRelative: Rule = {
  code: 'FileToSignRelative',
  on: 'both',
  severity: 'warning',
  check: subject =>
    signPlaces(subject).flatMap(({ value, path }) =>
      (value.filesToSign ?? []).flatMap((file, index) =>
        file.startsWith('/') || file.startsWith('$')
          ? []
          : [
              {
                path: `${path}.filesToSign[${index}]`,
                message: `filesToSign are absolute paths in the image, but ${quoted(file)} does not begin with "/"`,
              },
            ],
      ),
    ),
}

const unsignedImageIgnored: Rule = {
  code: 'UnsignedImageIgnored',
  on: 'both',
  severity: 'warning',
  check: ({ container }) =>
    container.kernelMappings.flatMap((mapping, index) =>
      has(mapping.sign?.unsignedImage) && (mapping.build !== undefined || container.build !== undefined)
        ? [
            {
              path: inMapping(index, 'sign', 'unsignedImage'),
              message: `kernelMappings[${index}] has a build, whose result is signed, so unsignedImage does nothing: remove one of them`,
            },
          ]
        : [],
    ),
}

const kanikoIgnored: Rule = {
  code: 'KanikoParamsIgnored',
  on: 'both',
  severity: 'warning',
  check: ({ container }) => {
    const message = 'kanikoParams changes nothing, because images are not built with kaniko: remove it'
    return [
      ...(container.build?.kanikoParams === undefined ? [] : [{ path: inContainer('build', 'kanikoParams'), message }]),
      ...container.kernelMappings.flatMap((mapping, index) =>
        mapping.build?.kanikoParams === undefined ? [] : [{ path: inMapping(index, 'build', 'kanikoParams'), message }],
      ),
    ]
  },
}

export const signingRules: readonly Rule[] = [
  bothSpellings,
  unsignedImageMissing,
  nothingToSign,
  fileToSignRelative,
  unsignedImageIgnored,
  kanikoIgnored,
]
