import type { Checkpoint } from "../../formats/checkpoint.ts";
import type { NameMatch, Source } from "./checkpoint-names.ts";

/** Names that are listed one by one, and patterns or tensors if there are more. */
const MOST_LISTED = 12;

/** What is said of a tensor that is there but is not what is wanted. */
export interface Misfit {
  readonly name: string;
  /** Such as "has shape [2], wanted [3]". */
  readonly message: string;
}

/** All that keeps a checkpoint from being the one of a model. */
export interface LoadProblems {
  /** Names in the model of what the checkpoint lacks. */
  readonly missing: readonly string[];
  /** Names in the checkpoint of what the model lacks. */
  readonly unexpected: readonly string[];
  readonly misfits: readonly Misfit[];
}

function pattern(name: string): string {
  return name.replaceAll(/(?<=\.)\d+(?=\.)/g, "*");
}

function capped(items: readonly string[], what: string): string[] {
  const rest = items.length - MOST_LISTED;
  if (rest <= 1) return [...items];
  return [...items.slice(0, MOST_LISTED), `and ${rest} more ${what}`];
}

/** Few names one by one; many by their patterns, with the number of each. */
function listed(kind: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  if (names.length <= MOST_LISTED) return [`${kind}: ${names.join(", ")}`];
  const counts = new Map<string, number>();
  for (const name of names.map(pattern)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const groups = [...counts].map(([name, n]) => (n === 1 ? name : `${name} (${n})`));
  return [`${kind}, ${names.length} in all: ${capped(groups, "patterns").join(", ")}`];
}

/** One line for each kind of problem, and for each tensor that does not fit. */
export function problemLines({ missing, unexpected, misfits }: LoadProblems): string[] {
  return [
    ...listed("missing", missing),
    ...listed("unexpected", unexpected),
    ...capped(
      misfits.map(({ name, message }) => `${name} ${message}`),
      "that do not fit",
    ),
  ];
}

/** Names that tell of what kind a checkpoint is, and what to do about it. */
const KINDS: readonly (readonly [pattern: RegExp, cause: string])[] = [
  [
    /\.lora_(?:A|B|embedding_[AB])\b/,
    "it is an adapter of PEFT (LoRA) and no whole model; merge it into its base model first " +
      "(merge_and_unload)",
  ],
  [
    /\.(?:qweight|qzeros|g_idx|SCB|weight_packed|weight_scale(?:_inv)?|weight\.(?:absmax|quant_map|quant_state\.\w+))$|_(?:blocks|scales)$/,
    "its weights are quantized, but config.json does not say how (quantization_config)",
  ],
  [
    /(?:^|\.)layers\.\d+\.(?:attention\.w[qkvo]|feed_forward\.w[123])\./,
    "it has the names of its authors' own code (wq, wk, w1); convert it with the script for this " +
      "family in transformers",
  ],
  [
    /(?:^|\.)(?:query_key_value|dense_h_to_4h)\.|language_model\.encoder\.layers\./,
    "it has names of GPT-NeoX or Megatron, which belong to another family",
  ],
  [/\/|:0$/, "it has the names of TensorFlow; convert it with transformers (from_tf=True)"],
  [/\.kernel$/, "it has the names of Flax; convert it with transformers (from_flax=True)"],
  [
    /(?:^|\.)decoder\.layers\.\d+\.self_attention\.(?:linear_qkv|linear_proj)\./,
    "it has the names of Megatron-Core; convert it first",
  ],
];

/** For each list of modules, such as `transformer.h`, how many there are by the names of tensors. */
function lengths(names: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of names) {
    const [, list, number] = /^(.*?)\.(\d+)\./.exec(name) ?? [];
    if (list === undefined) continue;
    found.set(list, Math.max(found.get(list) ?? 0, Number(number) + 1));
  }
  return found;
}

/** Whether the lists of layers are of other lengths than the settings say. */
function otherLengths(inModel: Iterable<string>, inFile: Iterable<string>): string[] {
  const there = lengths(inFile);
  return [...lengths(inModel)].flatMap(([list, wanted]) => {
    const count = there.get(list);
    if (count === undefined || count === wanted) return [];
    return [
      `the checkpoint has ${count} of ${list} and config.json describes ${wanted}: either the ` +
        "number in config.json is wrong, or the checkpoint is not whole",
    ];
  });
}

/** What likely causes are found from. */
export interface Circumstances extends LoadProblems {
  readonly checkpoint: Checkpoint;
  readonly match: NameMatch;
  /** The class that is loaded, and the ones that `config.json` names. */
  readonly className: string;
  readonly architectures: readonly string[];
}

/** What the problems likely come from, the most particular first; empty when nothing is known. */
export function likelyCauses(circumstances: Circumstances): string[] {
  const { checkpoint, match, missing, unexpected, className, architectures } = circumstances;
  const kind = KINDS.find(([mark]) => unexpected.some((name) => mark.test(name)));
  if (kind !== undefined) return [`the likely cause: ${kind[1]}`];
  const sources = [...match.sources.values()].flat();
  const inModel = [...match.sources.keys()].flatMap(({ names }) => names);
  const targets = [...sources, ...match.unexpected].map(({ target }: Source) => target);
  const causes = otherLengths(inModel, targets);
  const absent = missing.filter((name) => checkpoint.absent.has(name));
  if (absent.length > 0) {
    const [name = ""] = absent;
    causes.push(
      `the index lists ${absent.length === 1 ? name : `${name} and ${absent.length - 1} more`} in ` +
        `${checkpoint.absent.get(name)}, which lacks it: the file is of another checkpoint, or cut`,
    );
  }
  if (sources.length * 2 < checkpoint.names.length && sources.length * 2 < missing.length) {
    causes.push(
      `only ${sources.length} of the ${checkpoint.names.length} tensors have names of a ` +
        `${className}: the checkpoint is of another class or family` +
        (architectures.length > 0 ? ` (config.json names ${architectures.join(", ")})` : ""),
    );
  }
  return causes;
}
