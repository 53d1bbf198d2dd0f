/** What the cases that are run on two file systems have in common. */
import type { FileSystem } from '../../../../src/namespace/fs/index.ts'

/** Works below `root`; what it gives or throws, and what it leaves behind, is compared. */
export type Case = (fs: FileSystem, root: string) => Promise<unknown>

/** Of an error that Node gives in a form of its own. */
export async function nameOfError(
  work: Promise<unknown>,
  field: 'name' | 'code' = 'name'
): Promise<unknown> {
  return await work.then(
    () => 'no error',
    (error: NodeJS.ErrnoException) => error[field]
  )
}
