/**
 * Asks the holders that should have certain blocks whether they do. Only when all of them say so is
 * a copy here one too many, or not needed for us to leave.
 */
import type { BlockId } from '../../blocks/index.ts'
import type { VolumeId } from '../../namespace/index.ts'
import type { Clock, PeerId } from '../../peer/index.ts'
import { WarrenError } from '../../errors.ts'
import { ASK_MS_MAX } from './limits.ts'

/**
 * For each of these blocks of a volume whether a holder has it to stay, in their order. Throws what
 * a call throws.
 */
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

/**
 * The blocks that all their holders have. Whoever does not answer is added to `silent`. Rejects
 * with the signal's reason only.
 */
export async function confirmBlocks(
  components: ConfirmComponents,
  questions: readonly Question[],
  { signal, silent }: { readonly signal: AbortSignal; readonly silent: Set<PeerId> }
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
      const answers = await ask(components, holder, { asked, signal })
      if (answers === undefined) silent.add(holder)
      asked.forEach(({ block }, index) => answers?.[index] === true || refused.add(block))
    })
  )
  signal.throwIfAborted()
  return questions.flatMap(({ block }) => (refused.has(block) ? [] : [block]))
}

async function ask(
  { askHas, clock, volume }: ConfirmComponents,
  holder: PeerId,
  { asked, signal }: { readonly asked: readonly Question[]; readonly signal: AbortSignal }
): Promise<readonly boolean[] | undefined> {
  const deadline = new AbortController()
  const late = new WarrenError('ETIMEDOUT', { message: `${holder} does not say what it has` })
  const cancel = clock.after(ASK_MS_MAX, () => deadline.abort(late))
  const ids = asked.map(({ id }) => id)
  try {
    return await askHas(holder, volume, ids, { signal: AbortSignal.any([signal, deadline.signal]) })
  } catch {
    return undefined
  } finally {
    cancel()
  }
}
