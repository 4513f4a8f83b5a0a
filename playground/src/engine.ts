import { signal } from "@preact/signals";
import { type ModelPlace, startWorker, type WorkerModel } from "tsvene/worker";
import type { ModelChoice } from "./picture.ts";

/** How far the model is. */
export type Loading =
  | { readonly state: "loading"; readonly share: number | undefined; readonly name: string }
  | { readonly state: "ready"; readonly model: WorkerModel; readonly name: string }
  | { readonly state: "failed"; readonly message: string; readonly name: string };

const worker = startWorker();

/** The model of the page. */
export const loading = signal<Loading>({ state: "loading", share: undefined, name: "" });

let last = new AbortController();

function placeOf({ from, name }: ModelChoice): ModelPlace {
  if (from === "hub") return { hub: name };
  if (from === "url") return new URL(name);
  return new URL(`models/${encodeURIComponent(name)}/`, document.baseURI);
}

/** Loads a model in place of the one before, of which the memory is let go. */
export async function loadModel(choice: ModelChoice, files?: readonly File[]): Promise<void> {
  const { name } = choice;
  last.abort(new Error("another model was chosen"));
  last = new AbortController();
  const { signal: stop } = last;
  if (loading.value.state === "ready") void loading.value.model.release();
  loading.value = { state: "loading", share: undefined, name };
  try {
    const place = files === undefined ? placeOf(choice) : placeOfFiles(files);
    const model = await worker.load(place, {
      signal: stop,
      onProgress: ({ loaded, total }) => {
        const share = total === undefined ? undefined : loaded / total;
        if (!stop.aborted) loading.value = { state: "loading", share, name };
      },
    });
    loading.value = { state: "ready", model, name };
  } catch (error) {
    if (stop.aborted) return;
    loading.value = { state: "failed", message: messageOf(error), name };
  }
}

/** Files of a folder, by their paths below it. */
function placeOfFiles(files: readonly File[]): ModelPlace {
  const pathOf = (file: File): string => file.webkitRelativePath.split("/").slice(1).join("/");
  const named = files.map((file) => [pathOf(file) || file.name, file] as const);
  return { files: Object.fromEntries(named), name: "the folder" };
}

/** What an error says to whoever reads the page. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
