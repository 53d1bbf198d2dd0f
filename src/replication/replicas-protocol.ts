/**
 * `/warren/replicas/1.0.0`: what holders of one volume say to each other. A peer has one handler a
 * protocol, and this one has several parts that know nothing of each other, so each request is a
 * map that names its verb, and goes to the part that serves that verb.
 */
import { WarrenError } from '../errors.ts'
import type { CallHandler, Protocol } from '../peer/index.ts'

export const REPLICAS_PROTOCOL: Protocol = '/warren/replicas/1.0.0'

/** The handler of `REPLICAS_PROTOCOL`. A verb that nobody serves is answered with `ENOTSUP`. */
export function createReplicasHandler(
  verbs: Readonly<Partial<Record<string, CallHandler>>>
): CallHandler {
  return async function* serveReplicas(request, context) {
    const verb = verbOf(request.body)
    const handler = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
    if (handler === undefined) {
      throw new WarrenError('ENOTSUP', { message: `the verb '${verb.slice(0, VERB_SHOWN)}'` })
    }
    yield* handler(request, context)
  }
}

/** More of a verb that a peer made up is not worth repeating. */
const VERB_SHOWN = 32

function verbOf(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'verb' in body) {
    if (typeof body.verb === 'string') return body.verb
  }
  throw new WarrenError('EPROTO', { message: 'a request to a holder that names no verb' })
}
