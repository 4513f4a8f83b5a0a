import type { Checkpoint } from "../../formats/checkpoint.ts";
import type { Module } from "../../nn/module.ts";
import type { ModelFamily } from "./family.ts";
import type { StateEntry } from "./state.ts";

/** A tensor of a checkpoint, and the name in the model of the value that it is. */
export interface Source {
  readonly name: string;
  readonly target: string;
}

/** What goes where, by the names alone. */
export interface NameMatch {
  /** For each value of the model, what the checkpoint has of it, in the order of the value's names. */
  readonly sources: ReadonlyMap<StateEntry, readonly Source[]>;
  /** Tensors that belong to nothing in the model, by the names that they would have there. */
  readonly unexpected: readonly Source[];
  /** The same of parts that the model as such has not, such as another head. */
  readonly ofOtherParts: readonly Source[];
}

/** What training tools put between the parts of a name, wherever they wrap a module. */
const WRAPPERS =
  /(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_fpw_module|_forward_module)\./g;

/** Names of parameters in old versions of PyTorch's and TensorFlow's norms. */
const LEGACY: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\.gamma$/, ".weight"],
  [/\.beta$/, ".bias"],
];

/** Last parts of the names of buffers that old versions saved, and that follow from the settings. */
const STALE =
  /(?:^|\.)(?:position_ids|token_type_ids|(?:original_)?inv_freq|masked_bias|num_batches_tracked|relative_position_index|_float_tensor|_extra_state|(?:cos|sin)_cached|triangular_mask|causal_mask)$/;

/** Prefixes that are tried, the most frequent first. */
const MOST_PREFIXES = 16;

/** Whether a model is one with a head, which holds the one without. */
export function holdsBase(model: Module, basePrefix: string): boolean {
  return [...model.namedChildren()].some(([name]) => name === basePrefix);
}

/** Name in the model of a checkpoint's tensor; undefined for one of a head that the model lacks. */
type Rename = (name: string) => string | undefined;

/**
 * Checkpoints of models with and without a head differ in the prefix of all other names; each kind
 * is read into each.
 */
function renaming(inModel: boolean, names: readonly string[], basePrefix: string): Rename {
  const prefix = `${basePrefix}.`;
  const inFile = names.some((name) => name.startsWith(prefix));
  if (inModel === inFile) return (name) => name;
  if (inModel) return (name) => prefix + name;
  return (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined);
}

/** A name of another version's checkpoint as this one writes it. */
function canonical({ renamed = [] }: ModelFamily, name: string): string {
  return renamed.reduce((known, [pattern, to]) => known.replace(pattern, to), name);
}

/** The first of some names, or of what old versions called it, that the model has. */
function known(
  names: readonly (string | undefined)[],
  has: (name: string) => boolean,
): string | undefined {
  const given = names.filter((name) => name !== undefined);
  const legacy = given.flatMap((name) => LEGACY.map(([from, to]) => name.replace(from, to)));
  return [...given, ...legacy].find(has);
}

interface Target {
  readonly name: string;
  /** What it is called in the model; undefined if nothing is. */
  readonly target: string | undefined;
  /** What it would be called there; undefined for a head that the model lacks. */
  readonly wanted: string | undefined;
}

interface Question {
  readonly names: readonly string[];
  readonly family: ModelFamily;
  readonly inModel: boolean;
  readonly has: (name: string) => boolean;
}

/** Where the names lead when a prefix is taken off those that have it. */
function targets({ names, family, inModel, has }: Question, prefix: string): Target[] {
  const own = names.map((name) => {
    const plain = name.replaceAll(WRAPPERS, "");
    return canonical(family, plain.startsWith(prefix) ? plain.slice(prefix.length) : plain);
  });
  const rename = renaming(inModel, own, family.basePrefix);
  return own.map((name, i) => {
    const wanted = rename(name);
    return { name: names[i] ?? "", target: known([name, wanted], has), wanted };
  });
}

function countFound(found: readonly Target[]): number {
  return new Set(found.flatMap(({ target }) => target ?? [])).size;
}

/** Beginnings of names, such as `module.`, that a wrapper may have put there. */
function prefixesOf(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const parts = name.split(".", 3);
    for (let count = 1; count < parts.length; count++) {
      const prefix = `${parts.slice(0, count).join(".")}.`;
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.slice(0, MOST_PREFIXES).map(([prefix]) => prefix);
}

/** The reading of the names by which most of the model is found; as they are, if none is better. */
function bestTargets(question: Question, wanted: number): Target[] {
  let best = targets(question, "");
  let most = countFound(best);
  if (most >= wanted) return best;
  const plain = question.names.map((name) => name.replaceAll(WRAPPERS, ""));
  for (const prefix of prefixesOf(plain)) {
    const other = targets(question, prefix);
    const count = countFound(other);
    if (count > most) [best, most] = [other, count];
  }
  return best;
}

function firstPart(name: string): string {
  return name.slice(0, name.indexOf(".") >>> 0);
}

/** A mask [1, 1, n, n] that attention layers once kept under the name of a bias. */
function isMask(checkpoint: Checkpoint, name: string): boolean {
  const { shape } = checkpoint.info(name);
  return name.endsWith(".bias") && shape.length === 4 && shape[0] === 1 && shape[1] === 1;
}

/**
 * Finds what each tensor of a checkpoint is in a model: by its name as it is, with or without the
 * prefix of the model without a head, under the names of older versions, and without what wrappers
 * such as `DataParallel` and `torch.compile` put into it.
 */
export function matchNames(
  model: Module,
  state: readonly StateEntry[],
  { checkpoint, family }: { readonly checkpoint: Checkpoint; readonly family: ModelFamily },
): NameMatch {
  const byName = new Map(state.flatMap((entry) => entry.names.map((name) => [name, entry])));
  const { names } = checkpoint;
  const inModel = holdsBase(model, family.basePrefix);
  const question = { names, family, inModel, has: (name: string) => byName.has(name) };
  const sources = new Map<StateEntry, Source[]>(state.map((entry) => [entry, []]));
  const [unexpected, ofOtherParts]: [Source[], Source[]] = [[], []];
  const parts = partsOf([...byName.keys()], family.basePrefix);
  for (const { name, target, wanted } of bestTargets(question, state.length)) {
    const entry = target === undefined ? undefined : byName.get(target);
    if (entry !== undefined && target !== undefined) sources.get(entry)?.push({ name, target });
    if (entry !== undefined || wanted === undefined) continue;
    if (isIgnored(family, wanted) || isMask(checkpoint, name)) continue;
    const isOfPart = parts.has(firstPart(withoutBase(wanted, family.basePrefix)));
    (isOfPart ? unexpected : ofOtherParts).push({ name, target: wanted });
  }
  for (const [{ names }, found] of sources) {
    found.sort((a, b) => names.indexOf(a.target) - names.indexOf(b.target));
  }
  return { sources, unexpected, ofOtherParts };
}

function withoutBase(name: string, basePrefix: string): string {
  return name.startsWith(`${basePrefix}.`) ? name.slice(basePrefix.length + 1) : name;
}

/** First parts of the names in a model, within the model without a head as well. */
function partsOf(names: readonly string[], basePrefix: string): ReadonlySet<string> {
  return new Set(names.map((name) => firstPart(withoutBase(name, basePrefix))));
}

function isIgnored(family: ModelFamily, name: string): boolean {
  return STALE.test(name) || (family.ignored?.some((pattern) => pattern.test(name)) ?? false);
}
