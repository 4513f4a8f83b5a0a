import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { loadTorchFile, type TorchKey, type TorchValue } from "../formats/torch/load-torch-file.ts";
import { saveTorchFile } from "../formats/torch/save-torch-file.ts";
import type { TorchContent } from "../formats/torch/torch-content.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What says its state and goes on from one: modules, optimisers, schedules, generators. */
export interface Resumable {
  /** Everything that it goes on from: tensors and plain values. */
  stateDict(): object;
  /** Goes on from what `stateDict` gave; throws, and stays as it was, for what does not fit. */
  loadStateDict(state: never): void;
}

/**
 * Writes where a training stands into one file of PyTorch (Node only): the state of each part under
 * its name. Python reads it with `torch.load(path, weights_only=True)`, and PyTorch's optimisers of
 * the same name go on from theirs. The file is there whole or not at all: whenever the process is
 * stopped, the file of before or this one is there.
 *
 * @param parts - By names of your own. Give everything that changes: a model or its interventions,
 * optimiser, schedule, and `defaultGenerator()` where dropout or shuffling draw from it.
 * @throws TsveneError for a part without a state; TorchFileError for a state that is more than tensors and
 * plain values; FileSourceError when it cannot be written. An old file stays as it was.
 *
 * @example
 * ```ts no-run
 * import { Adam, defaultGenerator, Linear, loadTrainingState, saveTrainingState } from "tsvene";
 * const probe = new Linear(768, 2);
 * const optimizer = new Adam(probe.parameters(), { lr: 1e-3 });
 * const parts = { probe, optimizer, generator: defaultGenerator() };
 * await saveTrainingState("probe.pt", parts);
 * await loadTrainingState("probe.pt", parts); // in another process, of parts made as these
 * ```
 */
export async function saveTrainingState(
  path: string,
  parts: Readonly<Record<string, Resumable>>,
): Promise<void> {
  const states = resumable("saveTrainingState", parts).map(
    ([name, part]) => [name, content(part.stateDict())] as const,
  );
  await saveTorchFile(path, new Map(states));
}

/**
 * Goes on from a file of {@link saveTrainingState}: each part takes its state, and what comes next is the
 * same to the last bit as if training had not stopped.
 *
 * @param path - The file (Node only), or what is in it.
 * @param parts - Parts made as those that were saved, under the same names, neither more nor fewer.
 * @throws TsveneError when names differ, or a state does not fit its part; TorchFileError for a damaged file.
 * All parts are then as they were.
 */
export async function loadTrainingState(
  path: string | ArrayBuffer | Uint8Array | Blob,
  parts: Readonly<Record<string, Resumable>>,
): Promise<void> {
  const op = "loadTrainingState";
  const wanted = resumable(op, parts);
  const saved = await loadTorchFile(path);
  const names = saved instanceof Map ? [...saved.keys()].map(String) : [];
  const isSame = names.length === wanted.length && wanted.every(([name]) => names.includes(name));
  if (!(saved instanceof Map) || !isSame) {
    const given = wanted.map(([name]) => name).join(", ");
    fail(op, `the file holds ${names.join(", ") || "no states by name"}, not ${given}`);
  }
  const before: [Resumable, object][] = [];
  try {
    for (const [name, part] of wanted) {
      before.push([part, part.stateDict()]);
      take(part, plain(saved.get(name) ?? null), `${op}: ${name}`);
    }
  } catch (error) {
    for (const [part, state] of before) part.loadStateDict(state as never);
    throw error;
  }
}

function take(part: Resumable, state: unknown, what: string): void {
  if (typeof state !== "object" || state === null || state instanceof Tensor) {
    fail(what, `its state must be one of values by name, got ${describeValue(state)}`);
  }
  part.loadStateDict(state as never);
}

/** The parts by name, if all of them can say and take their states. */
function resumable(op: string, parts: unknown): [string, Resumable][] {
  if (typeof parts !== "object" || parts === null || Array.isArray(parts)) {
    fail(op, `expected parts by name, { model, optimizer }, got ${describeValue(parts)}`);
  }
  const entries = Object.entries(parts);
  if (entries.length === 0) fail(op, "there are no parts; give some by name: { model, optimizer }");
  for (const [name, part] of entries) {
    const { stateDict, loadStateDict } = (part ?? {}) as Partial<Resumable>;
    if (typeof stateDict === "function" && typeof loadStateDict === "function") continue;
    fail(
      op,
      `${name} is ${describeValue(part)}, which has no stateDict() and loadStateDict(); give modules, ` +
        "optimisers, schedules and generators",
    );
  }
  return entries as [string, Resumable][];
}

/** A state as a PyTorch file has it: what is numbered, as an optimiser's states, has numbers as keys. */
function content(value: unknown): TorchContent {
  if (typeof value !== "object" || value === null || value instanceof Tensor) {
    return value as TorchContent;
  }
  if (Array.isArray(value)) return value.map(content);
  if (value instanceof Map) fail("saveTrainingState", "states are plain objects, not Maps");
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  const isNumbered = entries.length > 0 && entries.every(([key]) => /^(?:0|[1-9]\d*)$/.test(key));
  return new Map(
    entries.map(([key, part]) => [isNumbered ? Number(key) : key, content(part)] as const),
  );
}

/** The same with objects, as `stateDict` gave it. */
function plain(value: TorchValue): unknown {
  if (Array.isArray(value)) return (value as readonly TorchValue[]).map(plain);
  if (!(value instanceof Map)) return value;
  const entries = [...(value as ReadonlyMap<TorchKey, TorchValue>)];
  return Object.fromEntries(entries.map(([key, part]) => [String(key), plain(part)]));
}
