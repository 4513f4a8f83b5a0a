import { fail } from "../../base/errors.ts";
import { requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { OptionNames } from "../../base/known-options.ts";
import { requireNode } from "../../files/node.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { loadTrainingState, type Resumable, saveTrainingState } from "../training-state.ts";
import { requireCount } from "./counts.ts";
import type { TrainingCheckpoint } from "./train-options.ts";
import type { TrainedParameter } from "./trained-parameters.ts";

const OPTIONS: OptionNames<TrainingCheckpoint> = { path: true, every: true, resume: true };
const DEFAULT_EVERY = 100;

/** A training's file. */
export interface Checkpoint {
  /** After how many steps it is written. */
  readonly every: number;
  /** Goes on from the file, if it is there and that is wanted. */
  readonly resume: () => Promise<void>;
  readonly save: () => Promise<void>;
}

/**
 * @param parts - All that a training goes on from; what it was told first, so that a file of another
 * one is noticed before anything is taken from it.
 * @throws TsveneError for options that are none.
 */
export function checkpointAt(
  op: string,
  given: string | TrainingCheckpoint,
  parts: Readonly<Record<string, Resumable>>,
): Checkpoint {
  const options = typeof given === "string" ? { path: given } : given;
  requireKnownOptions(`${op}: checkpoint`, options, OPTIONS);
  const { path, every = DEFAULT_EVERY, resume = "auto" } = options;
  if (typeof path !== "string" || path === "") fail(op, "checkpoint takes the path of a file");
  requireOneOf(op, "checkpoint.resume", resume, ["auto", "must", "never"]);
  return {
    every: requireCount(op, "checkpoint.every", every),
    resume: async () => {
      if (resume === "never") return;
      if (await isThere(path)) await loadTrainingState(path, parts);
      else if (resume === "must") fail(op, `there is no checkpoint ${path} to go on from`);
    },
    save: () => saveTrainingState(path, parts),
  };
}

async function isThere(path: string): Promise<boolean> {
  const { fs } = requireNode("a checkpoint");
  return fs.stat(path).then(
    () => true,
    (error: unknown) => {
      if ((error as { readonly code?: unknown }).code === "ENOENT") return false;
      throw error;
    },
  );
}

/** What a training was told, as a part of its file: another training's file is refused. */
export function told(op: string, configuration: Readonly<Record<string, unknown>>): Resumable {
  const texts = Object.fromEntries(
    Object.entries(configuration).map(([name, value]) => [name, textOf(value)]),
  );
  return {
    stateDict: () => texts,
    loadStateDict: (state: Readonly<Record<string, string>>) => {
      for (const name of new Set([...Object.keys(texts), ...Object.keys(state)])) {
        if (texts[name] === state[name]) continue;
        fail(
          op,
          `the checkpoint is of another configuration: its ${name} is ${state[name] ?? "not given"}, ` +
            `this training's ${texts[name] ?? "not given"}; train as before, or to another file`,
        );
      }
    },
  };
}

/** Functions cannot be compared, but that there is one can. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === "function" ? "a function" : part,
  ) as string | undefined;
  return text ?? "not given";
}

/** The values of parameters by name, as a part of a file. */
export function valuesOf(trained: readonly TrainedParameter[]): Resumable {
  return {
    stateDict: () => snapshot(trained),
    loadStateDict: (state: Readonly<Record<string, unknown>>) => {
      const values = trained.map(({ name, parameter }) => {
        const value = state[name];
        if (value instanceof Tensor) return [parameter, value] as const;
        return fail("train", `the checkpoint has no parameter ${name}`);
      });
      for (const [parameter, value] of values) parameter.set(value);
    },
  };
}

/** The values as they are now, which later steps do not change. */
export function snapshot(trained: readonly TrainedParameter[]): Record<string, Tensor> {
  return Object.fromEntries(trained.map(({ name, parameter }) => [name, parameter.stored]));
}
