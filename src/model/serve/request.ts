// What a client sends over HTTP, as the request that the model understands.
import type { IncomingMessage } from 'node:http'
import type { KubeRequest } from '../../shell/kube/transport.ts'
import { ApiError, badRequest } from '../api/errors.ts'
import { parseProtobuf, protobufType } from './protobuf.ts'

/** As a real server's limit on a request body. */
const largestBody = 3 * 1024 * 1024

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
const isMethod = (method: string): method is KubeRequest['method'] => methods.has(method)

/** How long the model may take; it answers at once, so this only bounds mistakes. */
const deadlineMs = 60_000

/** Reads the whole body. Throws ApiError for what a real server refuses before it looks at the object. */
export async function readRequest(message: IncomingMessage): Promise<KubeRequest> {
  const { method = '', url = '/', headers } = message
  if (!isMethod(method)) throw new ApiError(405, 'MethodNotAllowed', `the server does not allow this method: ${method}`)
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = Object.fromEntries(new URLSearchParams(at < 0 ? '' : url.slice(at + 1)))
  const bytes = await bodyOf(message)
  const contentType = (headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? ''
  return { method, path, query, deadlineMs, ...(bytes.length === 0 ? {} : { contentType, body: parseBody(bytes, contentType) }) }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBody)
      throw new ApiError(413, 'RequestEntityTooLarge', `the request body is larger than ${largestBody} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Clients send apply patches as JSON, which is YAML; real YAML needs a parser that the model does not have. */
function parseBody(bytes: Buffer, contentType: string): unknown {
  try {
    if (contentType === protobufType) return parseProtobuf(bytes)
  } catch (error) {
    throw unknownFormat(`${contentType}: ${(error as Error).message}`)
  }
  if (!contentType.includes('json') && !contentType.includes('yaml')) throw unknownFormat(contentType)
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    const hint = contentType.includes('yaml') ? '; the simulated server reads only the JSON form of YAML' : ''
    throw badRequest(`the body of the request is no JSON: ${(error as Error).message}${hint}`)
  }
}

const unknownFormat = (what: string) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${what}) - accepted media types include: application/json`,
  )
