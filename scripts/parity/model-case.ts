import { access } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  arange,
  BlipForQuestionAnswering,
  CausalLanguageModel,
  evaluate,
  type GenerateOptions,
  type GenerateOutput,
  grad,
  loadSafetensors,
  onesLike,
  Seq2SeqLanguageModel,
  stack,
  Tensor,
  tensor,
} from "tsvene";
import { stateOf } from "../../src/models/model/state.ts";
import type { CaseResult } from "./case-result.ts";
import { compare, type Comparison, largest, notReplayed, resultOf } from "./compare.ts";
import { requireKnownFields } from "./known-fields.ts";
import {
  type Description,
  INPUTS,
  inputsOf,
  loadRecorded,
  type Model,
  readDescription,
} from "./recorded-model.ts";
import { readSites } from "./recorded-sites.ts";
import { toleranceOf } from "./tolerances.ts";

/** A recorded case: its tensors by name, without the case's own name. */
interface RecordedCase {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Fields of a case in `case.json`. Those of the `plain` case list what must have been recorded. */
const SETTINGS: readonly string[] = [
  "inputs",
  "outputs",
  "hidden_states",
  "attentions",
  "compare_only_where_attention_mask_is_1",
  "max_new_tokens",
  "decoder_start_token_id",
  "file",
  "loss",
  "batch",
  "equals_uncached",
  "logits_absmax",
  "logits_std",
];

/** What all cases of a directory share. */
interface Recording {
  readonly directory: string;
  readonly model: Model;
  readonly cases: ReadonlyMap<string, RecordedCase>;
  readonly tolerance: number;
}

function groupByCase(
  tensors: ReadonlyMap<string, Tensor>,
  description: Description,
): Map<string, RecordedCase> {
  const names = new Set(Object.keys(description.cases));
  for (const full of tensors.keys()) names.add(full.slice(0, full.indexOf(".")));
  const cases = new Map<string, RecordedCase>();
  for (const name of names) {
    const own = [...tensors].filter(([full]) => full.startsWith(`${name}.`));
    const recorded = new Map(own.map(([full, t]) => [full.slice(name.length + 1), t]));
    cases.set(name, { name, tensors: recorded, settings: description.cases[name] ?? {} });
  }
  return cases;
}

/** Throws unless the case is of known fields, and what it lists was recorded. */
function checkRecorded({ name, settings, tensors }: RecordedCase): void {
  requireKnownFields(`case ${name}`, settings, SETTINGS);
  const { inputs, outputs, hidden_states: states, attentions: weights } = settings;
  const listed = [inputs, outputs].flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
  const counted = Object.entries({ hidden_states: states, attentions: weights }).flatMap(
    ([kind, count]) => Array.from({ length: Number(count ?? 0) }, (_, i) => `${kind}.${i}`),
  );
  const recorded = [...tensors.keys()];
  const missing = [...listed, ...counted].filter(
    (output) => !recorded.some((known) => known === output || known.startsWith(`${output}.`)),
  );
  if (missing.length > 0) throw new Error(`not recorded: ${missing.join(", ")}`);
}

function need(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const t = tensors.get(name);
  if (t === undefined) throw new Error(`${name} is not recorded`);
  return t;
}

function languageModel({ model }: Recording): CausalLanguageModel {
  if (model instanceof CausalLanguageModel) return model;
  throw new Error("the model is not a language model");
}

/** The output that a recorded name means, such as `hidden_states.2`. */
function outputOf(output: object, name: string): Tensor {
  const [kind = "", index] = name.split(".");
  const own = kind.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
  const found = new Map<string, unknown>(Object.entries(output)).get(own);
  const t: unknown =
    index !== undefined && Array.isArray(found) ? (found as unknown[])[Number(index)] : found;
  if (t instanceof Tensor) return t;
  throw new Error(`the model has no output ${name}`);
}

/**
 * What the recorded inputs mean in transformers: without positions it counts padding before a text too,
 * and BLIP's answers look at the question's padding.
 */
function meantInputs(model: Model, { name, tensors, settings }: RecordedCase): object {
  const inputs = inputsOf(tensors);
  if (name === "contrastive") return { ...inputs, useItmHead: false };
  const { attentionMask, ...rest } = inputs;
  if (attentionMask === undefined) return inputs;
  if (model instanceof BlipForQuestionAnswering) {
    return { ...rest, encoderOutputs: model.encode(inputs) };
  }
  if (!/default position_ids/.test(String(settings["note"]))) return inputs;
  return { ...inputs, positionIds: arange(attentionMask.size(1)).unsqueeze(0) };
}

async function replayForward(recording: Recording, recorded: RecordedCase): Promise<Comparison[]> {
  const { model, tolerance } = recording;
  const wanted = [...recorded.tensors.keys()].filter((name) => !Object.hasOwn(INPUTS, name));
  const sites = wanted.filter((name) => name.startsWith("act."));
  const { result, values } = readSites(model, sites, () =>
    model.forward(meantInputs(model, recorded)),
  );
  const actual = new Map(wanted.map((name) => [name, values.get(name) ?? outputOf(result, name)]));
  await evaluate(...actual.values());
  const masked = recorded.settings["compare_only_where_attention_mask_is_1"] === true;
  const only = masked ? need(recorded.tensors, "attention_mask") : undefined;
  return Promise.all(
    wanted.map((name) =>
      compare(name, need(actual, name), need(recorded.tensors, name), { tolerance, only }),
    ),
  );
}

/** Sequences of the recorded length, from the recorded inputs. */
function generated(
  recording: Recording,
  tensors: ReadonlyMap<string, Tensor>,
  length: number,
  options: GenerateOptions,
): Promise<GenerateOutput> {
  if (recording.model instanceof Seq2SeqLanguageModel) {
    const inputs = inputsOf(tensors);
    return recording.model.generate(inputs, { ...options, maxNewTokens: length - 1 });
  }
  // A text about images goes on from where these were recorded.
  const pictures = recording.cases.get("plain")?.tensors.get("pixel_values");
  const from =
    pictures === undefined ? tensors : (recording.cases.get("plain")?.tensors ?? tensors);
  const inputIds = need(from, "input_ids");
  const attentionMask = from.get("attention_mask") ?? onesLike(inputIds);
  const images = pictures === undefined ? {} : { pixelValues: pictures };
  return languageModel(recording).generate(
    { inputIds, attentionMask, ...images },
    { ...options, maxNewTokens: length - inputIds.size(1) },
  );
}

/** The likeliest tokens, without stop tokens, as they were recorded. */
async function replayGreedy(
  recording: Recording,
  { tensors }: RecordedCase,
): Promise<Comparison[]> {
  const sequences = need(tensors, "sequences");
  const options = { eosTokenId: null, padTokenId: 0, outputLogits: true };
  const result = await generated(recording, tensors, sequences.size(1), options);
  const exact = await compare("sequences", result.sequences, sequences, { tolerance: 0 });
  const logits = tensors.get("logits");
  if (logits === undefined) return [exact];
  const { tolerance } = recording;
  return [exact, await compare("logits", stack(result.logits ?? [], 1), logits, { tolerance })];
}

/** The last tokens, read after the others were; the number of recorded logits says how many. */
async function replayCached(
  recording: Recording,
  { tensors }: RecordedCase,
): Promise<Comparison[]> {
  const model = languageModel(recording);
  const logits = need(tensors, "logits");
  const plain = recording.cases.get("cached")?.tensors ?? new Map<string, Tensor>();
  const inputIds = need(plain, "input_ids");
  const past = inputIds.size(1) - logits.size(1);
  const { pastKeyValues } = model.forward({ inputIds: inputIds.slice(1, 0, past) });
  const rest = model.forward({ inputIds: inputIds.slice(1, past), pastKeyValues });
  return [await compare("logits", rest.logits, logits, { tolerance: recording.tolerance })];
}

/** The labels that a recorded loss names, such as `cross_entropy(logits, [0, 3])`. */
function labelsOf({ settings }: RecordedCase): Tensor | undefined {
  const { loss } = settings;
  const list = typeof loss === "string" ? /\[[\d, ]*\]/.exec(loss)?.[0] : undefined;
  return list === undefined ? undefined : tensor(JSON.parse(list) as number[], { dtype: "int64" });
}

/** Gradients of the model's loss with respect to every parameter. */
async function replayGradients(
  recording: Recording,
  gradients: RecordedCase,
): Promise<Comparison[]> {
  const { model } = recording;
  const recorded = await loadSafetensors(join(recording.directory, "grads.safetensors"));
  const plain = recording.cases.get("plain")?.tensors ?? new Map<string, Tensor>();
  const inputs = inputsOf(plain);
  const labels = labelsOf(gradients) ?? need(plain, "input_ids");
  const loss = outputOf(model.forward({ ...inputs, labels }), "loss");
  const entries = stateOf(model);
  const raw = grad(loss, entries.map(({ holder }) => holder.value)); // prettier-ignore
  const actual = new Map(
    entries.map(({ names: [name = ""], transposed }, i) => {
      const g = raw[i] ?? loss;
      return [`grad.${name}`, transposed ? g.t() : g];
    }),
  );
  actual.set("loss", loss);
  await evaluate(...actual.values());
  const unrecorded = [...actual.keys()].filter((name) => !recorded.has(name));
  if (unrecorded.length > 0) throw new Error(`not recorded: ${unrecorded.join(", ")}`);
  const compared: Comparison[] = [];
  for (const [name, expected] of recorded) {
    const tolerance =
      name === "loss" ? recording.tolerance : 1e-4 * (await largest(expected)) + 1e-6;
    compared.push(await compare(name, need(actual, name), expected, { tolerance }));
  }
  return compared;
}

type Replay = (recording: Recording, recorded: RecordedCase) => Promise<Comparison[]>;

/** Cases that are not a single forward pass. */
const REPLAYS: Readonly<Record<string, Replay>> = {
  greedy: replayGreedy,
  greedy_padded: replayGreedy,
  cached: replayCached,
  cached_chunk: replayCached,
  grads: replayGradients,
};

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function openRecording(directory: string): Promise<Recording> {
  const description = await readDescription(directory);
  const tensors = await loadSafetensors(join(directory, "expected.safetensors"));
  const model = await loadRecorded(directory);
  const cases = groupByCase(tensors, description);
  const gradients = await exists(join(directory, "grads.safetensors"));
  if (gradients && !cases.has("grads")) {
    cases.set("grads", { name: "grads", tensors: new Map(), settings: {} });
  }
  const tolerance = await toleranceOf(directory, description.model_type ?? "");
  return { directory, model, cases, tolerance };
}

/**
 * Replays every recorded case of a directory with a model's files, `case.json`,
 * `expected.safetensors` and, for gradients, `grads.safetensors`. What is recorded and cannot be
 * replayed is a failed case.
 */
export async function replayModelCase(directory: string): Promise<CaseResult[]> {
  const place = resolve(directory);
  const model = basename(place);
  let recording: Recording;
  try {
    recording = await openRecording(place);
  } catch (error) {
    return [notReplayed(model, error)];
  }
  const results: CaseResult[] = [];
  for (const recorded of recording.cases.values()) {
    const name = `${model}/${recorded.name}`;
    const replay = Object.hasOwn(REPLAYS, recorded.name) ? REPLAYS[recorded.name] : undefined;
    try {
      checkRecorded(recorded);
      results.push(resultOf(name, await (replay ?? replayForward)(recording, recorded)));
    } catch (error) {
      results.push(notReplayed(name, error));
    }
  }
  return results;
}
