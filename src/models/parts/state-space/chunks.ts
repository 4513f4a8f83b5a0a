/**
 * Length of the chunks that a recurrence over `steps` is cut into: at most `most`, and a power of 2,
 * so that few different programs serve all lengths.
 */
export function chunkLength(steps: number, most: number): number {
  return Math.min(most, 2 ** Math.ceil(Math.log2(steps)));
}
