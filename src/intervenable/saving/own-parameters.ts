import { requireNode } from "../../files/node.ts";
import { openFiles, type FilesName } from "../../files/open-files.ts";
import { writeTogether } from "../../files/write-together.ts";
import { readTogether } from "../../files/file-source.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { encodeTorchFile } from "../../formats/torch/save-torch-file.ts";
import { fail } from "../../interventions/errors.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireNamed } from "../config/names.ts";
import { checkState, restoreState } from "./intervention-state.ts";
import { type CheckedWeights, readWeights, WEIGHTS } from "./model-files.ts";
import { fittedState, readBin } from "./pyvene-reading.ts";
import { binName, pyveneBins } from "./pyvene-writing.ts";
import { type IntervenableContent, type SavedModel, savedModel } from "./saved-model.ts";

/** Which parameters are written or read. */
export interface ParameterOptions {
  /** Names of the interventions. @default all that are learned */
  readonly names?: readonly string[];
  /** Weights of the model as well. @default false */
  readonly includeModel?: boolean;
}

const OPTIONS: OptionNames<ParameterOptions> = { names: true, includeModel: true };

/** The places of which parameters are wanted. */
function chosen(
  op: string,
  { places }: SavedModel,
  options: ParameterOptions,
): SavedModel["places"] {
  requireKnownOptions(op, options, OPTIONS);
  const { names } = options;
  const called = places.map(({ representation }) => representation);
  for (const name of names ?? []) requireNamed(op, name, called);
  const found = places.filter(({ representation: { name }, intervention: { trainable } }) =>
    names === undefined ? trainable : names.includes(name),
  );
  if (found.length > 0 || options.includeModel === true) return found;
  return fail(
    op,
    "no intervention is learned, so that there is nothing to keep; say which with names",
  );
}

/** Writes parameters alone; see {@link IntervenableModel.saveIntervention}. */
export async function saveParameters(
  directory: string,
  content: IntervenableContent,
  options: ParameterOptions,
): Promise<void> {
  const saved = savedModel(content);
  const op = "IntervenableModel.saveIntervention";
  requireNode(op);
  const contents = await pyveneBins(op, { places: chosen(op, saved, options) }, () => true);
  if (options.includeModel === true) {
    const weights = new Map(Object.entries(saved.model.stateDict()));
    contents.set(WEIGHTS.weights, await encodeTorchFile(weights));
  }
  const files = new Map(
    [...contents].map(([name, bytes]) => [name, (write: (b: Uint8Array) => Promise<void>) => write(bytes)]), // prettier-ignore
  );
  await writeTogether(directory, { files });
}

/** Reads parameters into interventions that are there; see {@link IntervenableModel.loadIntervention}. */
export async function loadParameters(
  name: FilesName,
  content: IntervenableContent,
  options: ParameterOptions,
): Promise<void> {
  const saved = savedModel(content);
  const op = "IntervenableModel.loadIntervention";
  const wanted = chosen(op, saved, options);
  const opened = await openFiles(name);
  const files = opened.confined?.() ?? opened;
  const [states, weights] = await readTogether(files, async () => {
    const states: [Intervention, ReadonlyMap<string, Tensor>, string][] = [];
    for (const { representation, intervention } of wanted) {
      const where = `${op}: ${files.location}: ${representation.name}`;
      const state = await readBin(op, files, representation.key);
      if (state === undefined) fail(where, `${binName(representation.key)} is missing`);
      states.push([intervention, await fittedState(where, intervention, state), where]);
    }
    const weights: CheckedWeights =
      options.includeModel === true ? await readWeights(op, files, saved.model) : {};
    return [states, weights] as const;
  });
  for (const [intervention, tensors, where] of states) checkState(where, intervention, tensors);
  for (const [intervention, tensors, where] of states) {
    await restoreState(where, intervention, { tensors });
  }
  saved.model.loadStateDict(weights, { strict: false });
}
