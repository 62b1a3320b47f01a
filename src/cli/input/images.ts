// What a registry would say, from a file or as an assumption: `kmm plan` and `kmm simulate` never ask a real one.
import { parseImageRef } from '../../core/image-ref.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { BadInput, parseYamlDocuments } from '../../shell/yaml.ts'
import type { Io } from '../io.ts'
import { readText } from './files.ts'
import { badField } from './objects.ts'
import { describe, findMisfit, isMap } from './shape.ts'

export type ImageAssumption = 'exist' | 'missing' | 'unknown'
export type KnownImages = ReadonlyMap<string, Answer>

const answerShape = { '*': { exists: 'boolean', digest: 'string', files: ['string'] } } as const

/** A YAML map `image: {exists: true|false, digest?, files?: [paths]}`. Throws BadInput for anything else. */
export async function readImages(path: string | undefined, io: Pick<Io, 'readStdin'>): Promise<KnownImages> {
  if (path === undefined) return new Map()
  const { file, text } = await readText(path, io)
  const [document, second] = parseYamlDocuments(text, file)
  if (document === undefined) return new Map()
  if (second !== undefined) throw new BadInput(file, second.startLine, 'must hold one document, but a second one begins here')
  const source = { file, line: document.line }
  if (!isMap(document.value)) throw badField(source, [], `must be a map of images, but is ${describe(document.value)}`)
  const misfit = findMisfit(document.value, answerShape)
  if (misfit !== undefined) throw badField(source, misfit.path, misfit.error)
  for (const image of Object.keys(document.value)) {
    const ref = parseImageRef(image)
    if ('error' in ref) throw badField(source, [image], `is no image: ${ref.error}`)
  }
  return new Map(Object.entries(document.value).map(([image, given]) => [image, answerOf(image, given as Answer, source)]))
}

function answerOf(image: string, given: Answer, source: Parameters<typeof badField>[0]): Answer {
  for (const field of Object.keys(given)) {
    if (!['exists', 'digest', 'files'].includes(field))
      throw badField(source, [image, field], 'is unknown here: an image has exists, digest and files')
  }
  if (given.digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(given.digest))
    throw badField(source, [image, 'digest'], 'must be sha256: and 64 hexadecimal digits')
  const exists = given.exists ?? (given.digest !== undefined || given.files !== undefined ? true : undefined)
  if (exists === undefined) throw badField(source, [image, 'exists'], 'is missing: write true or false')
  return {
    exists,
    ...(given.digest === undefined ? {} : { digest: given.digest }),
    ...(given.files === undefined ? {} : { files: given.files.map(path => path.replace(/^\/+/, '')) }),
  }
}

/** Answers from the file first, then from the assumption; nothing for `unknown`, as if the registry had not answered yet. */
export function answersOf(images: KnownImages, assumption: ImageAssumption): (question: Question) => Answer | undefined {
  const known = new Map([...images].map(([image, answer]) => [normalImage(image), answer]))
  return question =>
    known.get(normalImage(question.image)) ?? (assumption === 'unknown' ? undefined : { exists: assumption === 'exist' })
}

/** One spelling for `busybox`, `docker.io/library/busybox:latest` and the like. */
function normalImage(image: string): string {
  const ref = parseImageRef(image)
  if ('error' in ref) return image
  return `${ref.registry}/${ref.repository}${ref.digest === undefined ? `:${ref.tag ?? 'latest'}` : `@${ref.digest}`}`
}
