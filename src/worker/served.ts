import type { DownloadProgress } from "../files/download.ts";
import type { PretrainedOptions } from "../models/model/load-pretrained.ts";
import type { ModelDescription, Task } from "../tasks/tasks.ts";
import type { PlaceData } from "./place.ts";
import type { WireError } from "./wire-error.ts";

/** What happens on the way of a call. */
export type WireEvent =
  | { readonly kind: "part"; readonly part: unknown }
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "download"; readonly download: DownloadProgress };

/** Takes what happens on the way; what it gives is there once that was taken. */
export type Tell = (event: WireEvent) => Promise<void> | void;

/** What comes of a call: a result, or an error. */
export type Outcome = { readonly result: unknown } | { readonly error: WireError };

/** Options of loading that a message can carry. */
export type PlainPretrainedOptions = Omit<PretrainedOptions, "onProgress" | "signal" | "fetch">;

/** A model in a worker, and what there is to know of it. */
export interface LoadedModel {
  /** What calls name it by. */
  readonly id: number;
  /** What can be named in it. */
  readonly description: ModelDescription;
}

/** What a worker answers. Calls have numbers, by which they are stopped. */
export interface Served {
  /** Loads a model: gives a {@link LoadedModel}. */
  load(
    call: number,
    place: PlaceData,
    options: PlainPretrainedOptions,
    tell: Tell,
  ): Promise<Outcome>;
  /** Has a model do something. */
  perform(call: number, model: number, task: Task, tell: Tell): Promise<Outcome>;
  /** Stops a call before its next program. */
  abort(call: number): void;
  /** Forgets a model. */
  release(model: number): void;
}
