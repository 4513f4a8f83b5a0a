import { CausalLanguageModel } from "../../models/model/causal-language-model.ts";
import type { Encoded } from "../../models/parts/encoder/encode.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
} from "../../models/generation/options.ts";
import { type Extent, extentOf } from "../../models/generation/plan.ts";
import { requirePrompt } from "../../models/generation/prompt.ts";
import type {
  Seq2SeqGenerateInputs,
  Seq2SeqLanguageModel,
} from "../../models/parts/seq2seq/seq2seq-language-model.ts";
import type { Module } from "../../nn/module.ts";
import { fail } from "../../interventions/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The models that write. */
export type WritingModel = CausalLanguageModel | Seq2SeqLanguageModel;

/** What a model that writes is given to go on from. */
export type PromptsOf<M extends WritingModel> = Parameters<M["generate"]>[0];

/** A model about to write from its prompts, with an encoder or without. */
export interface Writer {
  /** How much will be written at most. */
  readonly extent: (settings: GenerateOptions) => Extent;
  /** What the model's `forward` takes to read the prompts. */
  readonly inputs: unknown;
  /** The text that is gone on from, [batch, length]. */
  readonly inputIds: Tensor;
  /** Runs the encoder, which reads its source once, before anything is written. */
  readonly encode?: () => Encoded;
  /** A source as `forward` takes it, from one that `generate` would take. */
  readonly asInputs: (source: unknown) => unknown;
  /**
   * Writes all prompts to their ends.
   * @param encoded what {@link encode} gave.
   */
  generate(settings: GenerateOptions, encoded: Encoded | undefined): Promise<GenerateOutput>;
  /** As `generate`, but handing out each step as soon as it is computed. */
  stream(settings: GenerateOptions, encoded: Encoded | undefined): AsyncGenerator<GenerateStep>;
}

/** Not by class, which would bring models with encoders into pages that have none. */
function hasEncoder(model: Module): model is Seq2SeqLanguageModel {
  return "withStart" in model && typeof model.withStart === "function";
}

/** @throws InterventionError for a model that cannot write. */
export function writerOf(model: Module, prompts: unknown, settings: GenerateOptions): Writer {
  if (model instanceof CausalLanguageModel) return textWriter(model, prompts as GenerateInputs);
  if (hasEncoder(model)) {
    return seq2SeqWriter(model, prompts as Seq2SeqGenerateInputs, settings);
  }
  return fail("IntervenableModel", `${model.constructor.name} cannot generate`);
}

function textWriter(model: CausalLanguageModel, prompts: GenerateInputs): Writer {
  const { inputIds } = requirePrompt(prompts);
  return {
    extent: (settings) => extentOf(model, inputIds.size(1), settings),
    inputs: prompts,
    inputIds,
    asInputs: (source) => source,
    generate: (settings) => model.generate(prompts, settings),
    stream: (settings) => model.stream(prompts, settings),
  };
}

function seq2SeqWriter(
  model: Seq2SeqLanguageModel,
  prompts: Seq2SeqGenerateInputs,
  options: GenerateOptions,
): Writer {
  const inputs = model.withStart(prompts, options);
  const { encoderOutputs } = prompts;
  const read = (encoded: Encoded | undefined): Seq2SeqGenerateInputs =>
    encoded === undefined ? inputs : { ...inputs, encoderOutputs: encoded };
  return {
    extent: (settings) => extentOf(model, inputs.decoderInputIds.size(1), settings),
    inputs,
    inputIds: inputs.decoderInputIds,
    encode: () => encoderOutputs ?? model.encode(prompts),
    asInputs: (source) => model.withStart(source as Seq2SeqGenerateInputs, options),
    generate: (settings, encoded) => model.generate(read(encoded), settings),
    stream: (settings, encoded) => model.stream(read(encoded), settings),
  };
}
