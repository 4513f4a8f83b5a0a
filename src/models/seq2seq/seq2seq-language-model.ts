import { full, onesLike } from "../../tensor/creation.ts";
import { fail } from "../../tensor/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { CausalLanguageModel } from "../causal-language-model.ts";
import type { Encoded } from "../encoder/encode.ts";
import type { ModelConfig } from "../config.ts";
import type { GenerateOptions, GenerateOutput } from "../generation/options.ts";
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
    const { decoderInputIds, ...source } = inputs;
    const encoderOutputs = this.encode(source);
    await evaluate(encoderOutputs.lastHiddenState);
    const inputIds = decoderInputIds ?? this.#start(encoderOutputs.lastHiddenState.size(0));
    // The start token is often the padding token, but it is read as any other.
    const attentionMask = onesLike(inputIds);
    const { numReturnSequences = 1 } = options;
    if (numReturnSequences !== 1) {
      fail("generate", "numReturnSequences: give each source as often as texts are wanted of it");
    }
    return new BoundDecoder(this, source, encoderOutputs).generate(
      { inputIds, attentionMask },
      options,
    );
  }

  #start(batch: number): Tensor {
    const { decoderStartTokenId: start } = this.config;
    if (start === null) {
      fail("generate", "the config has no decoderStartTokenId; give decoderInputIds");
    }
    return full([batch, 1], start, { dtype: "int64" });
  }
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
