import { type Checkpoint, CheckpointError } from "../io/checkpoint.ts";
import type { Module } from "../nn/module.ts";
import { sameShape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { fitsDType, ValueReader } from "./checkpoint-values.ts";
import type { ModelFamily } from "./family.ts";
import { nonFinite } from "./non-finite.ts";
import { type StateEntry, stateOf } from "./state.ts";

/** What goes where: for each value of a model, its names in the checkpoint. */
interface LoadPlan {
  readonly sources: ReadonlyMap<StateEntry, readonly string[]>;
  readonly problems: readonly string[];
}

/** Name in the model of a checkpoint's tensor; undefined for one of a head that the model lacks. */
type Rename = (name: string) => string | undefined;

/** Whether a model is one with a head, which holds the one without. */
function holdsBase(model: Module, basePrefix: string): boolean {
  return [...model.namedChildren()].some(([name]) => name === basePrefix);
}

/**
 * Checkpoints of models with and without a head differ in the prefix of all other names; each kind
 * is read into each.
 */
function renaming(model: Module, names: readonly string[], basePrefix: string): Rename {
  const prefix = `${basePrefix}.`;
  const inModel = holdsBase(model, basePrefix);
  const inFile = names.some((name) => name.startsWith(prefix));
  if (inModel === inFile) return (name) => name;
  if (inModel) return (name) => prefix + name;
  return (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined);
}

/** A name of another version's checkpoint as this one writes it. */
function canonical(family: ModelFamily, name: string): string {
  const { renamed = [] } = family;
  return renamed.reduce((known, [pattern, to]) => known.replace(pattern, to), name);
}

function planLoading(model: Module, checkpoint: Checkpoint, family: ModelFamily): LoadPlan {
  const state = stateOf(model);
  const byName = new Map(state.flatMap((entry) => entry.names.map((name) => [name, entry])));
  const sources = new Map<StateEntry, string[]>(state.map((entry) => [entry, []]));
  const names = checkpoint.names.map((name): [string, string] => [name, canonical(family, name)]);
  const rename = renaming(
    model,
    names.map(([, name]) => name),
    family.basePrefix,
  );
  const unexpected: string[] = [];
  for (const [name, known] of names) {
    const target = rename(known);
    const entry = byName.get(known) ?? byName.get(target ?? "");
    if (entry !== undefined) sources.get(entry)?.push(name);
    else if (target !== undefined && !isIgnored(family, target)) unexpected.push(name);
  }
  const missing = state.flatMap((e) => (sources.get(e)?.length === 0 ? e.names.slice(0, 1) : []));
  const problems = [...listed("missing", missing), ...listed("unexpected", unexpected)];
  for (const [entry, names] of sources) {
    problems.push(...names.flatMap((name) => misfit(checkpoint, name, entry) ?? []));
  }
  const onlyHead =
    missing.length > 0 &&
    holdsBase(model, family.basePrefix) &&
    missing.every((name) => !name.startsWith(family.basePrefix));
  if (onlyHead && unexpected.length < checkpoint.names.length) problems.push(headHint(family));
  return { sources, problems };
}

function isIgnored(family: ModelFamily, name: string): boolean {
  return family.ignored?.some((pattern) => pattern.test(name)) ?? false;
}

function listed(kind: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${kind}: ${names.join(", ")}`];
}

function headHint({ basePrefix }: ModelFamily): string {
  return (
    "what is missing is the head: to train one, load the model without a head (AutoModel), build " +
    `this one anew, and give it the weights: model.${basePrefix}.loadStateDict(base.stateDict())`
  );
}

/** Whether a value lies in the checkpoint the other way round than the model keeps it. */
function isTransposed(checkpoint: Checkpoint, name: string, { transposed }: StateEntry): boolean {
  return transposed && checkpoint.info(name).asLinear !== true;
}

/** What is wrong with a tensor of the checkpoint, seen from its header. */
function misfit(checkpoint: Checkpoint, name: string, entry: StateEntry): string | undefined {
  const { dtype, elementType, shape } = checkpoint.info(name);
  const { dtype: wanted, shape: kept } = entry.holder.stored;
  if (dtype === undefined || !fitsDType(dtype, wanted)) {
    return `${name} is ${dtype ?? elementType}, wanted ${wanted}`;
  }
  const wantedShape = isTransposed(checkpoint, name, entry) ? [...kept].reverse() : kept;
  if (sameShape(shape, wantedShape)) return undefined;
  return `${name} has shape ${show(shape)}, wanted ${show(wantedShape)}`;
}

async function readEntry(reader: ValueReader, entry: StateEntry, name: string): Promise<Tensor> {
  const { dtype, shape } = entry.holder.stored;
  const transposed = isTransposed(reader.checkpoint, name, entry);
  return Tensor.fromData(await reader.read(name, dtype, transposed), shape, dtype);
}

/** A shared value may stand in a file under several names, but it must be one value. */
async function checkEqual(
  reader: ValueReader,
  entry: StateEntry,
  { names: [first = "", ...others], where }: { names: readonly string[]; where: string },
): Promise<void> {
  const kept = entry.holder.stored.values;
  for (const name of others) {
    const { values } = await readEntry(reader, entry, name);
    if (values?.every((v, i) => Object.is(v, kept?.[i])) === true) continue;
    throw new CheckpointError(
      `${where}: ${first} and ${name} are one and the same in this model, but have ` +
        'different values in the checkpoint; if they should differ, set "tie_word_embeddings" to ' +
        "false in config.json",
    );
  }
}

/** How a checkpoint is read. */
interface LoadSettings {
  readonly family: ModelFamily;
  /** What messages begin with. */
  readonly caller: string;
  /** Refuse numbers that are infinite or NaN. */
  readonly checkFinite: boolean;
}

/**
 * Reads a checkpoint into a model that nobody else holds yet. All names, shapes and element types
 * are checked before the first tensor is read; each tensor is read once, and what is kept otherwise
 * than in the file (transposed, another width) is converted one tensor at a time.
 *
 * @throws CheckpointError listing every missing, unexpected and unfitting tensor.
 */
export async function loadCheckpoint(
  model: Module,
  checkpoint: Checkpoint,
  { family, caller, checkFinite }: LoadSettings,
): Promise<void> {
  const { sources, problems } = planLoading(model, checkpoint, family);
  if (problems.length > 0) {
    throw new CheckpointError(
      `${caller}: the tensors of ${checkpoint.location} do not fit the model that its config.json ` +
        `describes:\n  ${problems.join("\n  ")}`,
    );
  }
  const reader = new ValueReader(checkpoint);
  const order = new Map(checkpoint.names.map((name, i) => [name, i]));
  const place = ([name = ""]: readonly string[]): number => order.get(name) ?? 0;
  const broken: string[] = [];
  for (const [entry, names] of [...sources].sort(([, a], [, b]) => place(a) - place(b))) {
    entry.holder.set(await readEntry(reader, entry, names[0] ?? ""));
    await checkEqual(reader, entry, { names, where: `${caller}: ${checkpoint.location}` });
    const found = checkFinite ? nonFinite(entry.holder.stored) : undefined;
    if (found !== undefined) broken.push(`${names[0]}: ${found}`);
  }
  if (broken.length === 0) return;
  throw new CheckpointError(
    `${caller}: ${checkpoint.location} has numbers that are not finite, as the model keeps them:\n  ` +
      broken.join("\n  "),
  );
}
