import { type Command, InvalidArgumentError, Option } from "commander";
import type { IntervenableModel } from "../intervenable/intervenable-model.ts";
import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import type { Io } from "./io.ts";
import { hubOptions, type ModelOptions, numberList } from "./options.ts";
import { withProgress } from "./progress.ts";

/** Options of commands that load interventions. */
export interface InterventionOptions {
  readonly intervention?: string;
  readonly interventionRevision?: string;
  readonly layers?: readonly number[];
}

/** Adds options that say which interventions. */
export function withInterventionOptions(command: Command): Command {
  return command
    .option("-i, --intervention <name>", "saved interventions: directory, or repository of the Hub")
    .option("--intervention-revision <name>", "their branch, tag or commit (default: main)")
    .option("-l, --layers <numbers>", "only those at these layers, such as 0,2,5-8", numberList);
}

/** How edits are made while a model writes. */
export interface EditOptions {
  readonly source?: string;
  readonly strength?: number;
  readonly steps: "decoding" | "prompt" | "all";
}

/** Adds options that say how edits are made. */
export function withEditOptions(command: Command): Command {
  return command
    .option("--source <text>", "the text whose states interventions take")
    .option("--strength <number>", "how far edits go: 2 is twice as far (default: 1)", strength)
    .addOption(
      new Option("--steps <which>", "edit while the prompt is read, or new tokens are written")
        .choices(["decoding", "prompt", "all"])
        .default("decoding"),
    );
}

/** Reads a strength, which may be below 0. */
function strength(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("A number was expected.");
}

/** The model with the interventions that the options name; undefined where they name none. */
export async function loadIntervention(
  io: Io,
  model: CausalLanguageModel,
  options: ModelOptions & InterventionOptions,
): Promise<IntervenableModel<CausalLanguageModel> | undefined> {
  const { intervention, interventionRevision, layers, cacheDir, offline } = options;
  if (intervention === undefined) return undefined;
  const { IntervenableModel } = await import("../intervenable/intervenable-model.ts");
  return withProgress(io, ({ onProgress }) => {
    const place = {
      ...(cacheDir !== undefined && { cacheDir }),
      ...(offline !== undefined && { offline }),
      ...(interventionRevision !== undefined && { revision: interventionRevision }),
    };
    return IntervenableModel.load(intervention, model, {
      ...hubOptions(place, { signal: io.signal, onProgress }),
      ...(layers !== undefined && { layers }),
    });
  });
}
