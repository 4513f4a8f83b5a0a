/** How one recorded case came out when it was replayed. */
export interface CaseResult {
  /** Directory and case, such as `gpt2/greedy`. */
  readonly name: string;
  /** Largest error of any of its tensors, absolute unless the case says relative. */
  readonly worst: number;
  /** What {@link worst} may be at most. */
  readonly tolerance: number;
  /** The tensor with the largest share of its tolerance. */
  readonly tensor: string;
  /** Tensors compared. A case that compares none has failed. */
  readonly compared: number;
  readonly failed: boolean;
  /** In what words the library refused it; that is not a failure where it may refuse. */
  readonly refused?: string;
  /** Why it failed, or why it could not be replayed. */
  readonly reason?: string;
}
