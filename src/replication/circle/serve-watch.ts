/** What this peer answers to those who watch it: the verbs `listen`, `watch` and `unwatch`. */
import { WarrenError } from '../../errors.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { CallContext, CallHandler, OutgoingMessage, PeerId } from '../../peer/index.ts'
import { Allowances } from '../allowances.ts'
import {
  LISTS_BURST,
  LISTS_PER_SECOND,
  WATCHES_BURST,
  WATCHES_PER_SECOND
} from './circle-limits.ts'
import type { OpenCircle } from './open-circle.ts'
import { ToldLine } from './told-line.ts'
import type { ToldLineComponents } from './told-line.ts'
import {
  decodeListenRequest,
  decodeUnwatchRequest,
  decodeWatchRequest,
  encodeWatchAnswer
} from './watch-messages.ts'

export interface WatchServerComponents extends ToldLineComponents {
  readonly circleOf: (volume: VolumeId) => Pick<OpenCircle, 'admit' | 'tell'> | undefined
}

type Answers = AsyncGenerator<OutgoingMessage>

const DONE: OutgoingMessage = { body: encodeWatchAnswer({}), last: true }

export class WatchServer {
  readonly verbs: Readonly<Record<'listen' | 'watch' | 'unwatch', CallHandler>> = {
    listen: (request, context) => this.#listen(request.body, context),
    watch: (request, context) => this.#watch(request.body, context),
    unwatch: (request, context) => this.#unwatch(request.body, context)
  }
  readonly #components: WatchServerComponents
  /** One a peer: it began a second line because it lost the first. */
  readonly #lines = new Map<PeerId, ToldLine>()
  readonly #requests: Allowances
  readonly #lists: Allowances

  constructor(components: WatchServerComponents) {
    const { clock } = components
    this.#components = components
    this.#requests = new Allowances(clock, { burst: WATCHES_BURST, perSecond: WATCHES_PER_SECOND })
    this.#lists = new Allowances(clock, { burst: LISTS_BURST, perSecond: LISTS_PER_SECOND })
  }

  /** Ends every line. */
  close(): void {
    for (const line of this.#lines.values()) line.close()
  }

  async *#listen(body: unknown, { from, signal }: CallContext): Answers {
    decodeListenRequest(body)
    this.#count(from)
    const line = new ToldLine(this.#components)
    this.#lines.get(from)?.close()
    this.#lines.set(from, line)
    try {
      yield* line.serve(signal)
    } finally {
      if (this.#lines.get(from) === line) this.#lines.delete(from)
    }
  }

  /** A volume that is unknown here and one that the caller does not hold look alike. */
  async *#watch(body: unknown, { from }: CallContext): Answers {
    const { watch, volume, ...shown } = decodeWatchRequest(body)
    this.#count(from)
    const circle = this.#components.circleOf(volume)
    if (circle === undefined) {
      throw new WarrenError('EACCES', { message: `${from} does not hold ${volume}` })
    }
    yield* circle.admit(from, shown, () => this.#lists.take(from, 1))
    const line = this.#lines.get(from)
    if (line === undefined) {
      throw new WarrenError('ECONNRESET', { message: `${from} watches and does not listen` })
    }
    line.watch(watch, due => circle.tell(from, due))
    yield DONE
  }

  async *#unwatch(body: unknown, { from }: CallContext): Answers {
    this.#lines.get(from)?.unwatch(decodeUnwatchRequest(body))
    yield DONE
  }

  #count(from: PeerId): void {
    if (this.#requests.take(from, 1)) return
    throw new WarrenError('EBUSY', { message: `${from} watches too much` })
  }
}
