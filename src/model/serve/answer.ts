// Answers on the wire. Large lists are printed in slices, so that nobody else waits for seconds while one is printed.
import type { ServerResponse } from 'node:http'
import type { KubeResponse } from '../../shell/kube/transport.ts'
import { isJson } from '../api/json.ts'
import { drained } from './watch-lines.ts'

/** Items printed without letting others go on: some milliseconds. */
const sliceItems = 250

/** Resolves when all is handed to the connection, or the client has gone. */
export async function writeAnswer(response: ServerResponse, { status, headers, body }: KubeResponse): Promise<void> {
  const field = isJson(body) ? (['items', 'rows'] as const).find(name => Array.isArray(body[name])) : undefined
  const list = field === undefined || !isJson(body) ? [] : (body[field] as readonly unknown[])
  if (field !== undefined && list.length > sliceItems) {
    response.writeHead(status, headers)
    return writeSlices(response, body as object, field, list)
  }
  const text = typeof body === 'string' ? body : body === undefined ? '' : `${JSON.stringify(body)}\n`
  const type = typeof body === 'string' ? { 'content-type': 'text/plain; charset=utf-8' } : {}
  response.writeHead(status, { ...headers, ...type, 'content-length': Buffer.byteLength(text) }).end(text)
}

async function writeSlices(response: ServerResponse, body: object, field: string, list: readonly unknown[]): Promise<void> {
  const { [field]: _, ...rest } = body as Readonly<Record<string, unknown>>
  response.write(`${JSON.stringify(rest).slice(0, -1)},"${field}":[`)
  for (let start = 0; start < list.length; start += sliceItems) {
    if (response.destroyed) return
    const text = list
      .slice(start, start + sliceItems)
      .map(item => JSON.stringify(item))
      .join(',')
    if (!response.write(start === 0 ? text : `,${text}`)) await drained(response)
    else await new Promise(resolve => setImmediate(resolve))
  }
  response.end(']}\n')
}
