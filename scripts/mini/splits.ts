/** Whether a combination may occur in the training text, or is kept for evaluation only. */
export type Split = "trained" | "heldOut";

/** The share of combinations that training never sees. */
export const HELD_OUT_SHARE = 0.15;

/**
 * Seed of every split. It is no option: a model is only worth evaluating on the combinations that
 * were kept from it, whatever seed its training text had.
 */
export const SPLIT_SEED = 20_190_214;
