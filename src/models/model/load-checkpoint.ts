import { CheckpointError } from "../../formats/checkpoint-error.ts";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import type { Module } from "../../nn/module.ts";
import { Parameter } from "../../nn/parameter.ts";
import { sameShape, type Shape, show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { warn } from "../../base/warn.ts";
import { holdsBase, matchNames, type NameMatch, type Source } from "./checkpoint-names.ts";
import { fitsDType, ValueReader } from "./checkpoint-values.ts";
import type { ModelFamily } from "./family.ts";
import { likelyCauses, type LoadProblems, type Misfit, problemLines } from "./load-problems.ts";
import { nonFinite } from "./non-finite.ts";
import { type StateEntry, type StatePlace, stateOf } from "./state.ts";

function headHint({ basePrefix }: ModelFamily): string {
  return (
    "what is missing is the head: to train one, load the model without a head (AutoModel), build " +
    `this one again, and give it the weights: model.${basePrefix}.loadStateDict(base.stateDict())`
  );
}

/** Whether a value lies in the checkpoint the other way round than the model keeps it. */
function isTransposed(checkpoint: Checkpoint, name: string, { transposed }: StateEntry): boolean {
  return transposed && checkpoint.info(name).asLinear !== true;
}

/** Whether a shape is the wanted one; old versions saved single numbers as lists of one. */
function fits(shape: Shape, wanted: Shape): boolean {
  return sameShape(shape, wanted) || (wanted.length === 0 && sameShape(shape, [1]));
}

/** What is wrong with a tensor of the checkpoint, seen from its header. */
function misfit(checkpoint: Checkpoint, name: string, entry: StateEntry): Misfit | undefined {
  const { dtype, elementType, shape } = checkpoint.info(name);
  const { dtype: wanted, shape: kept } = entry.holder.stored;
  if (dtype === undefined || !fitsDType(dtype, wanted)) {
    return { name, message: `is ${dtype ?? elementType}, wanted ${wanted}` };
  }
  const wantedShape = isTransposed(checkpoint, name, entry) ? [...kept].reverse() : kept;
  if (fits(shape, wantedShape)) return undefined;
  return { name, message: `has shape ${show(shape)}, wanted ${show(wantedShape)}` };
}

function problemsOf(
  { sources, unexpected, ofOtherParts }: NameMatch,
  checkpoint: Checkpoint,
): LoadProblems {
  const missing = [...sources].flatMap(([{ names }, found]) =>
    found.length === 0 ? names.slice(0, 1) : [],
  );
  const misfits = [...sources].flatMap(([entry, found]) =>
    found.flatMap(({ name }) => misfit(checkpoint, name, entry) ?? []),
  );
  const areOthersAsked = missing.length + unexpected.length + misfits.length > 0;
  const left = areOthersAsked ? [...unexpected, ...ofOtherParts] : unexpected;
  return { missing, unexpected: left.map(({ name }) => name), misfits };
}

/** A model and the checkpoint that is read into it. */
interface Loading extends LoadSettings {
  /** The model that is filled. */
  readonly model: Module;
  readonly checkpoint: Checkpoint;
}

/** @throws CheckpointError unless the names, shapes and element types are those of the model. */
function checkFits(match: NameMatch, { model, checkpoint, family, ...settings }: Loading): void {
  const problems = problemsOf(match, checkpoint);
  const { missing, unexpected, misfits } = problems;
  if (missing.length + unexpected.length + misfits.length === 0) return;
  const className = model.constructor.name;
  const { architectures = [] } = settings;
  const causes = likelyCauses({ ...problems, checkpoint, match, className, architectures });
  const isHead =
    missing.length > 0 &&
    holdsBase(model, family.basePrefix) &&
    missing.every((name) => !name.startsWith(family.basePrefix));
  const hint = isHead && unexpected.length < checkpoint.names.length ? [headHint(family)] : [];
  throw new CheckpointError(
    `${settings.caller}: the tensors of ${checkpoint.location} do not fit the model that its ` +
      `config.json describes:\n  ${[...causes, ...problemLines(problems), ...hint].join("\n  ")}`,
  );
}

async function readEntry(reader: ValueReader, entry: StateEntry, name: string): Promise<Tensor> {
  const { dtype, shape } = entry.holder.stored;
  const transposed = isTransposed(reader.checkpoint, name, entry);
  return Tensor.fromData(await reader.read(name, dtype, transposed), shape, dtype);
}

/** Gives a place of a shared value a value of its own. */
function untie({ module, property }: StatePlace, value: Tensor, requiresGrad: boolean): void {
  Reflect.set(module, property, new Parameter(value, { requiresGrad }));
}

/**
 * A shared value may stand in a file under several names. Where the file has another value under one
 * of them, that place gets its own, as transformers 5 does it.
 */
async function untieDiffering(
  reader: ValueReader,
  [entry, [first, ...others]]: readonly [StateEntry, readonly Source[]],
  { caller, checkpoint: { location } }: Loading,
): Promise<void> {
  const kept = entry.holder.stored.values;
  const origin = entry.places.find(({ name }) => name === first?.target);
  for (const { name, target } of others) {
    const value = await readEntry(reader, entry, name);
    if (value.values?.every((v, i) => Object.is(v, kept?.[i])) === true) continue;
    const place = entry.places.find((place) => place.name === target);
    const differ = `${first?.name} and ${name} have different values in the checkpoint`;
    if (place === undefined || place === origin || place.module === origin?.module) {
      throw new CheckpointError(
        `${caller}: ${location}: ${differ}, but are one value in this model`,
      );
    }
    untie(place, value, entry.holder instanceof Parameter && entry.holder.requiresGrad);
    warn(
      caller,
      `${location}: ${differ}, although config.json says that they are one, so each is kept; ` +
        'set "tie_word_embeddings" to false in config.json to say so',
    );
  }
}

/** How a checkpoint is read. */
export interface LoadSettings {
  readonly family: ModelFamily;
  /** What messages begin with. */
  readonly caller: string;
  /** Refuse numbers that are infinite or NaN. */
  readonly checkFinite: boolean;
  /** Classes that `config.json` names, for messages. */
  readonly architectures?: readonly string[];
}

function warnOfOthers({ ofOtherParts }: NameMatch, { caller, checkpoint, model }: Loading): void {
  if (ofOtherParts.length === 0) return;
  const names = ofOtherParts.slice(0, 10).map(({ name }) => name);
  const rest = ofOtherParts.length - names.length;
  warn(
    caller,
    `${checkpoint.location} has tensors of parts that a ${model.constructor.name} has not; they are ` +
      `left out: ${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`,
  );
}

/**
 * Reads a checkpoint into a model that nobody else holds yet. All names, shapes and element types
 * are checked before the first tensor is read; each tensor is read once, and what is kept otherwise
 * than in the file (transposed, another width) is converted one tensor at a time.
 *
 * @throws CheckpointError with the likely cause and every missing, unexpected and unfitting tensor.
 */
export async function loadCheckpoint(
  model: Module,
  checkpoint: Checkpoint,
  settings: LoadSettings,
): Promise<void> {
  const { caller, checkFinite } = settings;
  const loading: Loading = { ...settings, model, checkpoint };
  const match = matchNames(model, stateOf(model), { checkpoint, family: settings.family });
  checkFits(match, loading);
  warnOfOthers(match, loading);
  const reader = new ValueReader(checkpoint);
  const order = new Map(checkpoint.names.map((name, i) => [name, i]));
  const place = ([first]: readonly Source[]): number => order.get(first?.name ?? "") ?? 0;
  const broken: string[] = [];
  for (const item of [...match.sources].sort(([, a], [, b]) => place(a) - place(b))) {
    const [entry, [first = { name: "" }]] = item;
    entry.holder.set(await readEntry(reader, entry, first.name));
    await untieDiffering(reader, item, loading);
    const found = checkFinite ? nonFinite(entry.holder.stored) : undefined;
    if (found !== undefined) broken.push(`${first.name}: ${found}`);
  }
  if (broken.length === 0) return;
  throw new CheckpointError(
    `${caller}: ${checkpoint.location} has numbers that are not finite, as the model keeps them:\n  ` +
      broken.join("\n  "),
  );
}
