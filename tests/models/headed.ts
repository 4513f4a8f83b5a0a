import {
  AutoModel,
  type BlipForImageTextRetrieval,
  BlipModel,
  CLIPForImageClassification,
  type CLIPModel,
  manualSeed,
  type Parameter,
  randn,
  type T5Model,
  T5ForSequenceClassification,
  type Tensor,
  tensor,
  Wav2Vec2BertForSequenceClassification,
  type Wav2Vec2BertModel,
  WhisperForAudioClassification,
  type WhisperModel,
} from "tsvene";
import { type Model, plainInputs } from "../../scripts/parity/recorded-model.ts";
import { golden } from "./checkpoints.ts";

type Inputs = Readonly<Record<string, Tensor>>;

/** A class of which nothing is recorded, made of recorded parts. */
export interface Headed {
  readonly load: () => Promise<Model>;
  readonly inputs: () => Promise<Inputs>;
}

const base = async <M>(name: string): Promise<M> =>
  (await AutoModel.fromPretrained(golden(name))) as unknown as M;

/** Gives parameters numbers that are not small, the same in every run. */
export function draw(parameters: Iterable<Parameter>): void {
  manualSeed(7);
  for (const parameter of parameters) parameter.set(randn(parameter.shape).mul(0.5));
}

export async function t5Classifier(
  numLabels = 3,
  from = "t5",
): Promise<T5ForSequenceClassification> {
  const known = await base<T5Model>(from);
  const model = new T5ForSequenceClassification({
    ...known.config,
    eosTokenId: 1,
    numLabels,
  }).eval();
  model.transformer.loadStateDict(known.stateDict());
  draw(model.classification_head.parameters());
  return model;
}

export async function clipClassifier(numLabels = 3): Promise<CLIPForImageClassification> {
  const known = await base<CLIPModel>("clip");
  const model = new CLIPForImageClassification({ ...known.config, numLabels }).eval();
  model.vision_model.loadStateDict(known.vision_model.stateDict());
  draw(model.classifier.parameters());
  return model;
}

const HEAD = { numLabels: 3, classifierProjSize: 5 } as const;

export async function soundClassifier(
  useWeightedLayerSum = false,
): Promise<Wav2Vec2BertForSequenceClassification> {
  const known = await base<Wav2Vec2BertModel>("wav2vec2_bert");
  const config = { ...known.config, ...HEAD, useWeightedLayerSum };
  const model = new Wav2Vec2BertForSequenceClassification(config).eval();
  model.wav2vec2_bert.loadStateDict(known.stateDict());
  draw([...model.projector.parameters(), ...model.classifier.parameters()]);
  if (model.layer_weights !== undefined) draw([model.layer_weights]);
  return model;
}

export async function whisperClassifier(
  useWeightedLayerSum = false,
): Promise<WhisperForAudioClassification> {
  const known = await base<WhisperModel>("whisper");
  const config = { ...known.config, ...HEAD, useWeightedLayerSum };
  const model = new WhisperForAudioClassification(config).eval();
  model.encoder.loadStateDict(known.encoder.stateDict());
  draw([...model.projector.parameters(), ...model.classifier.parameters()]);
  if (model.layer_weights !== undefined) draw([model.layer_weights]);
  return model;
}

export async function blipBase(): Promise<BlipModel> {
  const known = await base<BlipForImageTextRetrieval>("blip_itm");
  const model = new BlipModel({ ...known.config, projectionDim: 6 }).eval();
  draw(model.parameters().filter(({ shape }) => shape.length > 0));
  model.vision_model.loadStateDict(known.vision_model.stateDict());
  const { text_model: text } = model;
  text.embeddings.loadStateDict(known.text_encoder.embeddings.stateDict());
  text.encoder.loadStateDict(known.text_encoder.encoder.stateDict());
  return model;
}

async function only(name: string, ...keys: string[]): Promise<Inputs> {
  const all = await plainInputs(golden(name));
  return Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key)));
}

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });

/** Texts of T5, one with padding on the left and one with it on the right. */
export const T5_TEXTS: { readonly inputIds: Tensor; readonly attentionMask: Tensor } = {
  inputIds: int64([[0, 0, 5, 7, 9, 1], [8, 3, 1, 6, 1, 0]]), // prettier-ignore
  attentionMask: int64([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]]), // prettier-ignore
};

/** The classes, by names for tests. */
export const HEADED: Readonly<Record<string, Headed>> = {
  t5_sequences: { load: () => t5Classifier(), inputs: async () => T5_TEXTS },
  clip_images: { load: () => clipClassifier(), inputs: () => only("clip", "pixelValues") },
  wav2vec2_bert_sound: {
    load: () => soundClassifier(),
    inputs: () => plainInputs(golden("wav2vec2_bert")),
  },
  whisper_sound: {
    load: () => whisperClassifier(true),
    inputs: () => only("whisper", "inputFeatures"),
  },
  llava_base: { load: () => base<Model>("llava"), inputs: () => plainInputs(golden("llava")) },
  mllama_base: { load: () => base<Model>("mllama"), inputs: () => plainInputs(golden("mllama")) },
  blip_base: { load: blipBase, inputs: () => plainInputs(golden("blip_itm")) },
};
