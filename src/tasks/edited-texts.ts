import { fail } from "../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import type { SourceRepresentations } from "../intervenable/call/sources.ts";
import type { ForwardOptions, Sources } from "../intervenable/generation/arguments.ts";
import { IntervenableModel } from "../intervenable/intervenable-model.ts";
import type { Module } from "../nn/module.ts";
import { evaluate } from "../tensor/evaluate.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import { lastLogits, nextTokens, type ReadTexts, readTexts } from "./read-texts.ts";
import type { EditedResult, EditedTexts, PlainEdits, Texts } from "./tasks.ts";
import { dataOf, type TensorData, tensorOf } from "./tensor-data.ts";

const EDITS: OptionNames<PlainEdits> = {
  config: true,
  sources: true,
  unitLocations: true,
  sourceRepresentations: true,
  subspaces: true,
  strength: true,
};
const TEXTS: OptionNames<Omit<EditedTexts, keyof PlainEdits>> = { prompts: true, top: true };
const TOP = 5;

/** Options of a call, as `forward` and `generate` take them. */
export type CallOptions = Omit<ForwardOptions<object>, "strength"> & {
  readonly strength?: number;
};

/** A model with interventions, about to read texts. */
interface EditedCall {
  readonly model: IntervenableModel;
  readonly read: ReadTexts;
  readonly options: CallOptions;
}

/** The model with the interventions that plain data names. */
export function intervenableOf(model: Module, { config }: PlainEdits): IntervenableModel {
  return new IntervenableModel(config, model);
}

/** What a call says of its interventions, with tensors for texts and lists. */
export function callOptions(
  op: string,
  tokenizer: PreTrainedTokenizer,
  { sources, unitLocations, sourceRepresentations: given, subspaces, strength }: PlainEdits,
): CallOptions {
  return {
    ...(unitLocations !== undefined && { unitLocations }),
    ...(subspaces !== undefined && { subspaces }),
    ...(strength !== undefined && { strength }),
    ...(sources !== undefined && { sources: sourcesOf(op, tokenizer, sources) }),
    ...(given !== undefined && { sourceRepresentations: tensorsOf(op, given) }),
  };
}

/** @throws TsveneError for options that are not there. */
export function requireEdits(op: string, edits: PlainEdits, also: object = {}): void {
  requireKnownOptions(op, edits, { ...EDITS, ...also });
  if (edits.config === undefined) fail(op, "config is missing: where to intervene, and with what");
}

/** Makes ready what `forward` and `explain` have in common. */
export function editedCall(
  op: string,
  model: Module,
  tokenizer: PreTrainedTokenizer,
  asked: EditedTexts,
): EditedCall {
  requireEdits(op, asked, TEXTS);
  return {
    model: intervenableOf(model, asked),
    read: readTexts(op, tokenizer, asked.prompts),
    options: callOptions(op, tokenizer, asked),
  };
}

/** Reads texts without and with interventions, as one program. */
export async function readEdited(
  op: string,
  { model, read, options }: EditedCall,
  tokenizer: PreTrainedTokenizer,
  top: number = TOP,
): Promise<EditedResult> {
  const result = model.forward(read.inputs, options);
  const original = lastLogits(op, result.original, read);
  const intervened = lastLogits(op, result.intervened, read);
  const collected = Object.entries(result.collectedByName);
  await evaluate(original, intervened, ...collected.map(([, t]) => t));
  const data = collected.map(async ([name, t]) => [name, await dataOf(t)] as const);
  return {
    original: await nextTokens(original, tokenizer, top),
    intervened: await nextTokens(intervened, tokenizer, top),
    collected: Object.fromEntries(await Promise.all(data)),
  };
}

function sourcesOf(
  op: string,
  tokenizer: PreTrainedTokenizer,
  given: Exclude<PlainEdits["sources"], undefined>,
): Sources<object> {
  const inputsOf = (texts: Texts | null): object | null =>
    texts === null ? null : readTexts(op, tokenizer, texts).inputs;
  return given === null || typeof given === "string"
    ? inputsOf(given)
    : given.map((texts) => inputsOf(texts));
}

function tensorsOf(
  op: string,
  given: NonNullable<PlainEdits["sourceRepresentations"]>,
): SourceRepresentations {
  const one = (data: TensorData | null) => (data === null ? null : tensorOf(op, data));
  if (Array.isArray(given)) return given.map(one);
  if (isTensorData(given)) return tensorOf(op, given);
  const named = Object.entries(given as Readonly<Record<string, TensorData | null>>);
  return Object.fromEntries(named.map(([name, data]) => [name, one(data)]));
}

function isTensorData(given: object): given is TensorData {
  return "shape" in given && "data" in given;
}
