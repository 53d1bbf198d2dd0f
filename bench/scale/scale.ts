/** All the curves: by files in a tree, by bytes in a file, and by peers that fetch at once. */
import type { Curve } from './curve.ts'
import { measureFetchers } from './fetchers.ts'
import { measureFiles } from './files.ts'
import type { Scale, ScaleRun } from './scale-run.ts'
import { measureSizes } from './sizes.ts'

export const SCALES: Readonly<Record<'full' | 'small' | 'tiny', Scale>> = {
  full: {
    files: [1_000, 10_000, 100_000, 1_000_000],
    fileMiB: [1, 100, 1_024, 10_240],
    sparseMiB: [102_400],
    fetchers: [1, 4, 16, 64, 100]
  },
  small: {
    files: [1_000, 10_000, 100_000],
    fileMiB: [1, 100, 1_024, 10_240],
    sparseMiB: [],
    fetchers: [1, 4, 16, 64, 100]
  },
  tiny: { files: [10, 100], fileMiB: [1], sparseMiB: [4], fetchers: [2] }
}

export async function measureScale(run: ScaleRun): Promise<Curve[]> {
  const curves: Curve[] = []
  for (const measure of [measureFiles, measureSizes, measureFetchers]) {
    curves.push(...(await measure(run)))
  }
  return curves
}
