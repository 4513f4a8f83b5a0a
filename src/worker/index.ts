// Models off the page's thread: what a page calls. `tsvene/worker/serve` is what a worker calls.
export { ModelWorker, startWorker, type WorkerLoadOptions } from "./model-worker.ts";
export type { ModelPlace } from "./place.ts";
export type { PlainPretrainedOptions } from "./served.ts";
export { type PairRunOptions, type RunOptions, WorkerModel } from "./worker-model.ts";
export type * from "../tasks/index.ts";
