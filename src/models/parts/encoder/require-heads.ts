import { ModelError } from "../../../nn/errors.ts";

/** A width that heads share equally, or an error that names the family's settings. */
export function requireHeads(
  family: string,
  {
    hiddenSize,
    numAttentionHeads,
  }: { readonly hiddenSize: number; readonly numAttentionHeads: number },
): void {
  if (hiddenSize % numAttentionHeads === 0) return;
  throw new ModelError(
    `${family}: hiddenSize (${hiddenSize}) must be a multiple of numAttentionHeads (${numAttentionHeads})`,
  );
}
