import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  AutoModelForCausalLM,
  AutoModelForSequenceClassification,
  type CausalLanguageModel,
  evaluate,
  type GenerateOptions,
  grad,
  type IntervenableConfig,
  IntervenableModel,
  loadSafetensors,
  type Module,
  stack,
  type SourceRepresentations,
  type Tensor,
  fromPyveneLocations,
  type UnitLocations,
} from "tsvene";
import type { CaseResult } from "./case-result.ts";
import { compare, type Comparison, largest, notReplayed, resultOf } from "./compare.ts";
import {
  camelCase,
  type Fields,
  interventionClass,
  need,
  readConfig,
  readOptions,
  type Tensors,
} from "./intervention-config.ts";
import { requireKnownFields } from "./known-fields.ts";
import {
  gradientsOf,
  keyed,
  recordedOptions,
  takeState,
  tensorsAt,
  weightOf,
} from "./intervention-parameters.ts";

/** Largest absolute errors. */
const TOLERANCE = 5e-5;
const DIRECT_TOLERANCE = 1e-5;

/**
 * Largest errors of gradients: relative to the largest element, and beside that. Recorded gradients
 * of direct calls are themselves up to 5e-6 from those in float64, where large terms cancel.
 */
const GRADIENT_TOLERANCE = { relative: 1e-4, absolute: 1e-6, direct: DIRECT_TOLERANCE } as const;

/**
 * Recorded tensors that are inputs, or stand beside what is to be compared. Temperatures are settings
 * here, and not parameters with gradients.
 */
const INPUTS =
  /^(base|source|param|config|source_representations|pyvene_head)(\.|$)|^labels$|^loss_weights$|^grad\b.*\.temperature$/;

/** Fields of `case.json`; what a replay makes of them stands where it reads them. */
const FIELDS: readonly string[] = [
  "call",
  "model_dir",
  "model_class",
  "config",
  "intervention",
  "interventions",
  "sorted_keys",
  "base",
  "sources",
  "has_source",
  "unit_locations",
  "subspaces",
  "source_representations",
  "labels",
  "use_fast",
  "generate_kwargs",
  "intervene_on_prompt",
  "grad_of",
  "n_collected",
  "counterfactual_differs",
];

/** Losses whose gradients were recorded, of forward and of direct calls. */
const LOSSES: readonly unknown[] = [
  undefined,
  null,
  "sum(logits**2)/numel(logits)",
  "sum(output*loss_weights)",
];

/** A recorded case of one directory. */
interface Recorded {
  readonly directory: string;
  readonly description: Fields;
  readonly tensors: Tensors;
}

type Actual = Map<string, Tensor>;

/** What a call is given, under the names of this library. */
interface Arguments {
  readonly base: Readonly<Record<string, Tensor>>;
  readonly sources?: readonly (Readonly<Record<string, Tensor>> | null)[];
  readonly unitLocations?: UnitLocations;
  readonly subspaces?: unknown;
  readonly sourceRepresentations?: SourceRepresentations;
}

/**
 * Replays the recorded case of a directory with `case.json` and `expected.safetensors`, whose model
 * lies where the case says, counted from the folder above the directory's own.
 */
export async function replayInterventionCase(directory: string): Promise<CaseResult> {
  const place = resolve(directory);
  const name = `interventions/${basename(place)}`;
  try {
    const description = JSON.parse(await readFile(join(place, "case.json"), "utf8")) as Fields;
    const tensors = await loadSafetensors(join(place, "expected.safetensors"));
    const recorded = { directory: place, description, tensors };
    return resultOf(name, await replay(recorded));
  } catch (error) {
    return notReplayed(name, error);
  }
}

async function replay(recorded: Recorded): Promise<Comparison[]> {
  const { call, grad_of: loss } = recorded.description;
  requireKnownFields("the case", recorded.description, FIELDS);
  if (!LOSSES.includes(loss)) throw new Error(`not understood: gradients of ${String(loss)}`);
  if (call === "direct") return compareAll(recorded, replayDirect(recorded), DIRECT_TOLERANCE);
  if (call === "forward") return compareAll(recorded, await replayForward(recorded), TOLERANCE);
  if (call === "generate") return compareAll(recorded, await replayGenerate(recorded), TOLERANCE);
  throw new Error(`calls of kind ${String(call)} are not known`);
}

/** Compares every recorded result; one that the replay did not give is an error. */
async function compareAll(
  { tensors, description }: Recorded,
  actual: Actual,
  tolerance: number,
): Promise<Comparison[]> {
  const wanted = [...tensors.keys()].filter((name) => !INPUTS.test(name));
  const collected = wanted.filter((name) => name.startsWith("collected.")).length;
  const { n_collected: count = collected } = description;
  if (count !== collected) {
    throw new Error(`${collected} of ${String(count)} collected tensors are recorded`);
  }
  await evaluate(...actual.values());
  const compared: Comparison[] = [];
  for (const name of wanted) {
    const exact = name.endsWith("sequences");
    const expected = need(tensors, name);
    const found = actual.get(name);
    if (found === undefined) throw new Error(`not understood: the recorded tensor ${name}`);
    const allowed = name.startsWith("grad.")
      ? await gradientTolerance(expected, description["call"])
      : tolerance;
    compared.push(await compare(name, found, expected, { tolerance: exact ? 0 : allowed }));
  }
  return compared;
}

async function gradientTolerance(expected: Tensor, call: unknown): Promise<number> {
  const { relative, absolute, direct } = GRADIENT_TOLERANCE;
  return relative * (await largest(expected)) + (call === "direct" ? direct : absolute);
}

function replayDirect({ description, tensors }: Recorded): Actual {
  const { class: name, use_fast: useFast, ...options } = description["intervention"] as Fields;
  const state = tensorsAt("param", tensors);
  const kind = interventionClass(name);
  const rank = tensors.get("weight")?.size(-1);
  const intervention = new kind({
    ...readOptions(options),
    ...recordedOptions(state),
    ...("lowRankDimension" in kind.optionNames ? { lowRankDimension: rank } : {}),
  });
  takeState(intervention, undefined, state);
  const rows = description["subspaces"] as number[][] | null;
  // The fast path uses the first row for all.
  const subspaces = useFast === true ? rows?.[0] : (rows ?? undefined);
  const base = need(tensors, "base");
  const source = description["has_source"] === true ? need(tensors, "source") : undefined;
  // pyvene lays lists of subspaces along the last dimension but one; here they are rows, the first.
  const turns = base.ndim === 3 && Array.isArray(subspaces?.[0]);
  const turn = (of: Tensor): Tensor => (turns && of.ndim === 3 ? of.transpose(0, 1) : of);
  const result = intervention.forward(turn(base), source && turn(source), { subspaces });
  if (result === undefined) throw new Error("the intervention returned nothing");
  const output = turn("output" in result ? result.output : result);
  const actual: Actual = new Map([["output", output]]);
  const weight = weightOf(intervention);
  if (weight !== undefined) actual.set("weight", weight);
  const weights = tensors.get("loss_weights");
  if (weights === undefined) return actual;
  const loss = output.mul(weights).sum();
  for (const [at, gradient] of gradientsOf(loss, intervention)) actual.set(`grad.${at}`, gradient);
  const [ofBase, ofSource] = grad(loss, [base, source ?? base]);
  return actual.set("grad.base", ofBase).set("grad.source", ofSource);
}

async function openModel({ directory, description }: Recorded): Promise<Module> {
  const place = join(dirname(dirname(directory)), String(description["model_dir"]));
  const kind = String(description["model_class"]);
  if (/For(Sequence)?Classification$/.test(kind)) {
    return AutoModelForSequenceClassification.fromPretrained(place);
  }
  return AutoModelForCausalLM.fromPretrained(place);
}

function inputsAt(prefix: string, tensors: Tensors): Readonly<Record<string, Tensor>> {
  const own = [...tensorsAt(prefix, tensors)];
  return Object.fromEntries(own.map(([name, t]) => [camelCase(name), t]));
}

function readArguments(
  { description, tensors }: Recorded,
  { config }: IntervenableModel,
): Arguments {
  const sources = description["sources"] as (string | null)[] | null;
  const representations = description["source_representations"];
  const locations = description["unit_locations"] as Fields | null;
  const subspaces = description["subspaces"];
  return {
    base: inputsAt("base", tensors),
    ...(sources ? { sources: sources.map((s) => (s === null ? null : inputsAt(s, tensors))) } : {}),
    ...(locations ? { unitLocations: fromPyveneLocations(locations) } : {}),
    ...(subspaces === null ? {} : { subspaces: readSubspaces(subspaces) }),
    ...(representations === undefined
      ? {}
      : { sourceRepresentations: readRepresentations(representations, tensors, config) }),
  };
}

/** In pyvene lists of lists have one for each intervention. */
function readSubspaces(given: unknown): unknown {
  return Array.isArray(given) && given.some(Array.isArray) ? { each: given as unknown[] } : given;
}

function readRepresentations(
  given: unknown,
  tensors: Tensors,
  { representations }: IntervenableConfig,
): SourceRepresentations {
  if (typeof given === "string") return need(tensors, given);
  if (Array.isArray(given)) {
    return given.map((name) => (name === null ? null : need(tensors, String(name))));
  }
  const byKey = given as Readonly<Record<string, string>>;
  const known = representations.filter(({ key }) => key in byKey);
  if (known.length < Object.keys(byKey).length) throw new Error("representations for unknown keys");
  return Object.fromEntries(
    known.map(({ key, name }) => [name, need(tensors, String(byKey[key]))]),
  );
}

async function openIntervenable(recorded: Recorded): Promise<IntervenableModel> {
  const model = await openModel(recorded);
  const { description, tensors } = recorded;
  const keys = description["sorted_keys"] as string[] | undefined;
  const states = (keys ?? []).map((key) => tensorsAt(`param.${key}`, tensors));
  const config = readConfig(description["config"] as Fields, tensors, states.map(recordedOptions));
  const intervenable = new IntervenableModel(config, model);
  const { sortedKeys } = intervenable.config;
  if (keys !== undefined && keys.join() !== sortedKeys.join()) {
    throw new Error(`the keys are ${sortedKeys.join(", ")}, recorded are ${keys.join(", ")}`);
  }
  const kinds = description["interventions"] as Readonly<Record<string, Fields>> | undefined;
  for (const [key, intervention] of keyed(intervenable)) {
    const { interchange_dim: dims, embed_dim: width, class: kind } = kinds?.[key] ?? {};
    // Where both are equal nothing was chosen: then the whole width, which pyvene gets wrong for
    // heads whose width is not the model's divided by their number. Latents are others than that.
    const chosen = dims !== width || kind === "JumpReLUAutoencoderIntervention";
    takeState(intervention, chosen ? dims : undefined, tensorsAt(`param.${key}`, tensors));
  }
  return intervenable;
}

async function replayForward(recorded: Recorded): Promise<Actual> {
  const { tensors, description } = recorded;
  const intervenable = await openIntervenable(recorded);
  const { base, ...given } = readArguments(recorded, intervenable);
  const name = description["labels"];
  const labels = typeof name === "string" ? { labels: need(tensors, name) } : {};
  const result = intervenable.forward(base, { ...given, ...labels });
  const actual: Actual = new Map();
  addOutputs(actual, "original", result.original as Fields, description);
  addOutputs(actual, "counterfactual", result.intervened as Fields, description);
  result.collected.forEach((t, i) => actual.set(`collected.${i}`, t));
  const logits = actual.get("counterfactual.logits");
  if (logits === undefined) return actual;
  actual.set("functional.logits", logits);
  if (tensors.has("loss")) addGradients(actual, logits, intervenable);
  return addWeights(actual, intervenable);
}

function addWeights(actual: Actual, intervenable: IntervenableModel): Actual {
  for (const [key, intervention] of keyed(intervenable)) {
    const weight = weightOf(intervention);
    if (weight !== undefined) actual.set(`weight.${key}`, weight);
  }
  return actual;
}

/** The recorded loss, and its gradients with respect to the interventions' parameters. */
function addGradients(actual: Actual, logits: Tensor, intervenable: IntervenableModel): void {
  const loss = logits.square().mean();
  actual.set("loss", loss);
  for (const [key, intervention] of keyed(intervenable)) {
    const gradients = gradientsOf(loss, intervention);
    for (const [name, gradient] of gradients) actual.set(`grad.${key}.${name}`, gradient);
  }
}

/** Outputs of a run under the names that are recorded. */
function addOutputs(actual: Actual, run: string, output: Fields, description: Fields): void {
  const { logits, loss, lastHiddenState, hiddenStates, attentions } = output as {
    readonly [name: string]: Tensor | undefined;
  } & { readonly hiddenStates?: readonly Tensor[]; readonly attentions?: readonly Tensor[] };
  if (logits !== undefined) actual.set(`${run}.logits`, logits);
  if (loss !== undefined) actual.set(`${run}.loss`, loss);
  if (lastHiddenState !== undefined) actual.set(`${run}.last_hidden_state`, lastHiddenState);
  hiddenStates?.forEach((t, i) => actual.set(`${run}.hidden_states.${i}`, t));
  const [representation] = (description["config"] as { representations: Fields[] }).representations;
  const weights = attentions?.[Number(representation?.["layer"] ?? 0)];
  if (weights !== undefined) actual.set(`${run}.attention_weight`, weights);
}

async function replayGenerate(recorded: Recorded): Promise<Actual> {
  const { description } = recorded;
  const intervenable = (await openIntervenable(recorded)) as IntervenableModel<CausalLanguageModel>;
  const { base, ...given } = readArguments(recorded, intervenable);
  const settings = Object.entries(description["generate_kwargs"] as Fields).map(
    ([name, value]): [string, unknown] => [camelCase(name), value],
  );
  const options: GenerateOptions = {
    eosTokenId: null,
    padTokenId: 0,
    outputLogits: true,
    ...Object.fromEntries(settings),
  };
  const prompts = base as { readonly inputIds: Tensor };
  const original = await intervenable.model.generate(prompts, options);
  const { intervened, collected } = await intervenable.generate(prompts, {
    ...options,
    ...(given as object),
    interveneOnPrompt: description["intervene_on_prompt"] === true,
  });
  const actual: Actual = new Map();
  for (const [run, output] of Object.entries({ original, counterfactual: intervened })) {
    actual.set(`${run}.sequences`, output.sequences);
    actual.set(`${run}.step_logits`, stack(output.logits ?? [], 1));
  }
  collected.forEach((t, i) => actual.set(`collected.${i}`, t));
  return addWeights(actual, intervenable);
}
