// What training takes beside optimisers: keeping where it stands, and going on from there.
export { loadTrainingState, type Resumable, saveTrainingState } from "./training-state.ts";
