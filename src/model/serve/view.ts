// In which form a client wants its answer. Source: Kubernetes API concepts, "Receiving resources as Tables", "Metadata-only".
export type View = 'plain' | 'table' | 'metadata'

/** The first form of an Accept header that we have; JSON where we have none of them, as clients that ask for protobuf also take it. */
export function viewOf(accept: string | undefined): View {
  for (const type of (accept ?? '').split(',')) {
    const [media = '', ...parameters] = type.split(';').map(part => part.trim())
    if (media !== 'application/json') continue
    const as = parameters.find(parameter => parameter.startsWith('as='))?.slice(3)
    if (as === undefined) return 'plain'
    if (as === 'Table') return 'table'
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata'
  }
  return 'plain'
}
