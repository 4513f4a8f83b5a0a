// What training takes beside optimisers: data, and keeping where it stands to go on from there.
export type { AlignmentBatch, AlignmentData, AlignmentExample } from "./data/alignment-data.ts";
export { loadTrainingState, type Resumable, saveTrainingState } from "./training-state.ts";
