import { full, onesLike } from "../../tensor/creation.ts";
import { fail } from "../../tensor/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { CausalLanguageModel } from "../causal-language-model.ts";
import type { Encoded } from "../encoder/encode.ts";
import type { ModelConfig } from "../config.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
} from "../generation/options.ts";
import { countSteps, rowsPerPrompt } from "../generation/plan.ts";
import type { CausalLMInputs, CausalLMOutput } from "../outputs.ts";
import { PreTrainedModel } from "../pretrained-model.ts";
import type { CrossCache, Seq2SeqLMInputs, Seq2SeqLMOutput, Seq2SeqSource } from "./outputs.ts";

/** Settings that all models of an encoder and a decoder have. */
export interface Seq2SeqConfig extends ModelConfig {
  /** The token that every text of the decoder begins with. */
  readonly decoderStartTokenId: number | null;
}

/** What is written from. */
export interface Seq2SeqGenerateInputs extends Seq2SeqSource {
  /** What the encoder gave in an earlier call, one row for each source, in place of running it. */
  readonly encoderOutputs?: Encoded;
  /** [batch, length] int64: tokens to go on from. @default the start token */
  readonly decoderInputIds?: Tensor;
}

/** Base of all models that read a source with an encoder and write with a decoder. */
export abstract class Seq2SeqLanguageModel extends PreTrainedModel {
  abstract override readonly config: Seq2SeqConfig;

  /** Longest text of the decoder; undefined where there is no bound. */
  abstract get maxLength(): number | undefined;

  /** What the encoder makes of a source. */
  abstract encode(source: Seq2SeqSource): Encoded;

  abstract override forward(inputs: Seq2SeqLMInputs): Seq2SeqLMOutput;

  /**
   * Writes what belongs to each source, all rows of the batch at once; the encoder runs once.
   * Options are those of {@link CausalLanguageModel.generate}. `sequences` begin with the start
   * token.
   *
   * @throws TensorError, before anything is written, for options that cannot be.
   */
  async generate(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions = {},
  ): Promise<GenerateOutput> {
    const { decoder, prompts } = await this.#bind(inputs, options);
    return decoder.generate(prompts, options);
  }

  /** As {@link generate}, token by token. A loop that is left early computes no further token. */
  async *stream(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateStep> {
    const { decoder, prompts } = await this.#bind(inputs, options);
    yield* decoder.stream(prompts, options);
  }

  /**
   * Inputs with what the decoder reads first: the start token of each row, where nothing is given.
   *
   * @throws TensorError where the config names no start token.
   */
  withStart<Inputs extends Seq2SeqGenerateInputs>(
    inputs: Inputs,
  ): Inputs & { readonly decoderInputIds: Tensor } {
    const { decoderInputIds = this.#start(batchOf(inputs)) } = inputs;
    return { ...inputs, decoderInputIds };
  }

  /** A decoder with the source in view, for each of the texts that are written from it. */
  async #bind(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions,
  ): Promise<{ readonly decoder: CausalLanguageModel; readonly prompts: GenerateInputs }> {
    const { decoderInputIds: inputIds, encoderOutputs, ...source } = this.withStart(inputs);
    countSteps(this, inputIds.size(1), options);
    const encoded = encoderOutputs ?? this.encode(source);
    await evaluate(encoded.lastHiddenState);
    const times = rowsPerPrompt(options);
    const repeat = (t: Tensor): Tensor => (times === 1 ? t : t.repeatInterleave(times, 0));
    const { attentionMask, ...rest } = source;
    const decoder = new BoundDecoder(
      this,
      { ...rest, ...(attentionMask && { attentionMask: repeat(attentionMask) }) },
      { ...encoded, lastHiddenState: repeat(encoded.lastHiddenState) },
    );
    // The start token is often the padding token, but it is read as any other.
    return { decoder, prompts: { inputIds, attentionMask: onesLike(inputIds) } };
  }

  #start(batch: number): Tensor {
    const { decoderStartTokenId: start } = this.config;
    if (start === null) {
      fail("generate", "the config has no decoderStartTokenId; give decoderInputIds");
    }
    return full([batch, 1], start, { dtype: "int64" });
  }
}

/** Rows of a source. */
function batchOf({ encoderOutputs, ...source }: Seq2SeqGenerateInputs): number {
  const tensors = [encoderOutputs?.lastHiddenState, ...Object.values(source)];
  const found = tensors.find((value) => value instanceof Tensor);
  return found?.size(0) ?? fail("generate", "give a source to write from, such as inputIds");
}

/** A decoder that goes on writing from one source: it is a language model like any other. */
class BoundDecoder extends CausalLanguageModel {
  readonly config: ModelConfig;
  readonly #model: Seq2SeqLanguageModel;
  readonly #source: Seq2SeqSource;
  readonly #encoded: Encoded;

  constructor(model: Seq2SeqLanguageModel, source: Seq2SeqSource, encoded: Encoded) {
    super();
    this.config = model.config;
    this.generationConfig = model.generationConfig;
    this.#model = model;
    this.#source = source;
    this.#encoded = encoded;
  }

  override get maxLength(): number | undefined {
    return this.#model.maxLength;
  }

  override forward(inputs: CausalLMInputs<CrossCache>): CausalLMOutput<CrossCache> {
    const { inputIds, attentionMask, positionIds, pastKeyValues } = inputs;
    const output = this.#model.forward({
      ...this.#source,
      encoderOutputs: this.#encoded,
      ...(inputIds && { decoderInputIds: inputIds }),
      ...(attentionMask && { decoderAttentionMask: attentionMask }),
      ...(positionIds && { decoderPositionIds: positionIds }),
      ...(pastKeyValues && { pastKeyValues }),
    });
    const { logits, decoderHiddenStates, decoderAttentions, pastKeyValues: cache } = output;
    return {
      logits,
      hiddenStates: decoderHiddenStates,
      attentions: decoderAttentions,
      pastKeyValues: cache,
    };
  }
}
