/**
 * Asks the holders that should have certain blocks whether they do. Only when all of them say so is
 * a copy here one too many, or not needed for us to leave.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, PeerId } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import { ASK_IDS_MAX, ASK_MS_MAX } from './limits.ts'

/** Which of these blocks of a volume a holder has, in their order. Throws what a call throws. */
export type AskHas = (
  holder: PeerId,
  volume: VolumeId,
  ids: readonly BlockId[],
  options: { readonly signal: AbortSignal }
) => Promise<readonly boolean[]>

export interface Question {
  readonly block: number
  readonly id: BlockId
  /** Everybody who should have it, us left out. */
  readonly holders: readonly PeerId[]
}

export interface ConfirmComponents {
  readonly askHas: AskHas
  readonly clock: Clock
  readonly volume: VolumeId
}

/** The blocks that all their holders have. Rejects with the signal's reason only. */
export async function confirmBlocks(
  components: ConfirmComponents,
  questions: readonly Question[],
  { signal }: { readonly signal: AbortSignal }
): Promise<number[]> {
  const byHolder = new Map<PeerId, Question[]>()
  for (const question of questions) {
    for (const holder of question.holders) {
      const others = byHolder.get(holder)
      if (others === undefined) byHolder.set(holder, [question])
      else others.push(question)
    }
  }
  const refused = new Set<number>()
  await Promise.all(
    [...byHolder].map(async ([holder, asked]) => {
      for (let from = 0; from < asked.length; from += ASK_IDS_MAX) {
        const some = asked.slice(from, from + ASK_IDS_MAX)
        const answers = await ask(components, holder, { asked: some, signal })
        some.forEach(({ block }, index) => answers[index] === true || refused.add(block))
      }
    })
  )
  signal.throwIfAborted()
  return questions.flatMap(({ block }) => (refused.has(block) ? [] : [block]))
}

/** Who does not answer has nothing, as far as we know. */
async function ask(
  { askHas, clock, volume }: ConfirmComponents,
  holder: PeerId,
  { asked, signal }: { readonly asked: readonly Question[]; readonly signal: AbortSignal }
): Promise<readonly boolean[]> {
  const deadline = new AbortController()
  const late = new WarrenError('ETIMEDOUT', { message: `${holder} does not say what it has` })
  const cancel = clock.after(ASK_MS_MAX, () => deadline.abort(late))
  const ids = asked.map(({ id }) => id)
  try {
    return await askHas(holder, volume, ids, { signal: AbortSignal.any([signal, deadline.signal]) })
  } catch {
    return []
  } finally {
    cancel()
  }
}
