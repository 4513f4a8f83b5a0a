import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForImageClassification,
  AutoModelForMaskedLM,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
  type PreTrainedModel,
  type PretrainedOptions,
  loadSafetensors,
  Tensor,
} from "tsvene";

/** A model, called with whatever inputs are recorded. */
export type Model = PreTrainedModel & { forward(inputs: object): object };

/** Part of a `case.json` that replaying needs. */
export interface Description {
  readonly kind: string;
  readonly model_type?: string;
  readonly cases: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** An auto class. */
export interface Loader {
  fromPretrained(directory: string, options?: PretrainedOptions): Promise<PreTrainedModel>;
}

/** The auto class of each kind of recorded model. */
const LOADERS: Readonly<Record<string, Loader>> = {
  decoder_lm: AutoModelForCausalLM,
  gru_lm: AutoModelForCausalLM,
  backpack: AutoModelForCausalLM,
  masked_lm: AutoModelForMaskedLM,
  sequence_classifier: AutoModelForSequenceClassification,
  mlp_classifier: AutoModelForSequenceClassification,
  gru_classifier: AutoModelForSequenceClassification,
  image_classifier: AutoModelForImageClassification,
  clip: AutoModel,
  blip_vqa: AutoModelForSeq2SeqLM,
  blip_itm: AutoModel,
  vlm: AutoModelForCausalLM,
  encoder_decoder: AutoModelForSeq2SeqLM,
  audio_encoder: AutoModel,
};

/** Recorded inputs of a forward pass, by their names here. */
export const INPUTS: Readonly<Record<string, string>> = {
  input_ids: "inputIds",
  attention_mask: "attentionMask",
  position_ids: "positionIds",
  token_type_ids: "tokenTypeIds",
  inputs_embeds: "inputsEmbeds",
  labels: "labels",
  pixel_values: "pixelValues",
  input_features: "inputFeatures",
  aspect_ratio_ids: "aspectRatioIds",
  aspect_ratio_mask: "aspectRatioMask",
  cross_attention_mask: "crossAttentionMask",
  decoder_input_ids: "decoderInputIds",
  decoder_attention_mask: "decoderAttentionMask",
};

/** The inputs among a case's recorded tensors. */
export function inputsOf(tensors: ReadonlyMap<string, Tensor>): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    Object.entries(INPUTS).flatMap(([name, own]) => {
      const t = tensors.get(name);
      return t === undefined ? [] : [[own, t]];
    }),
  );
}

export async function readDescription(directory: string): Promise<Description> {
  return JSON.parse(await readFile(join(directory, "case.json"), "utf8")) as Description;
}

/** The auto class that loads a recorded model with the head that it was recorded with. */
export async function loaderOf(directory: string): Promise<Loader> {
  const { kind } = await readDescription(directory);
  const loader = LOADERS[kind];
  if (loader === undefined) throw new Error(`models of kind "${kind}" are not known`);
  return loader;
}

/** Loads a recorded model. */
export async function loadRecorded(
  directory: string,
  options: PretrainedOptions = {},
): Promise<Model> {
  return (await (await loaderOf(directory)).fromPretrained(directory, options)) as Model;
}

/** The inputs of the case `plain`. */
export async function plainInputs(directory: string): Promise<Readonly<Record<string, Tensor>>> {
  const recorded = await loadSafetensors(join(directory, "expected.safetensors"));
  const plain = [...recorded].filter(([key]) => key.startsWith("plain."));
  return inputsOf(new Map(plain.map(([key, t]) => [key.slice("plain.".length), t])));
}

/** All tensors of an output: logits, hidden states, caches. */
export function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output];
  if (typeof output !== "object" || output === null) return [];
  return Object.values(output).flatMap(tensorsIn);
}
