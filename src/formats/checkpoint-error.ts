/** A checkpoint that is incomplete or contradicts itself. */
export class CheckpointError extends Error {
  override readonly name: string = "CheckpointError";
}
