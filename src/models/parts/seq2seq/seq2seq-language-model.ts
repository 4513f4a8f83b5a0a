import { onesLike } from "../../../tensor/functions/creation.ts";
import { fail } from "../../../nn/errors.ts";
import { evaluate } from "../../../tensor/evaluate.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { Encoded } from "../encoder/encode.ts";
import type { ModelConfig } from "../../settings/config.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
} from "../../generation/options.ts";
import { extentOf } from "../../generation/plan.ts";
import type { Timestamps } from "../../generation/processors/timestamps.ts";
import type { CausalLMInputs, CausalLMOutput } from "../outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { isSpoken, startTokens } from "./start-tokens.ts";
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
  /** The auto class that finds the models of a family. */
  static readonly auto = "AutoModelForSeq2SeqLM";

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
   * @throws ModelError, before anything is written, for options that cannot be.
   */
  async generate(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions = {},
  ): Promise<GenerateOutput> {
    const { decoder, prompts, settings } = await this.#bind(inputs, options);
    return decoder.generate(prompts, settings);
  }

  /** As {@link generate}, token by token. A loop that is left early computes no further token. */
  async *stream(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateStep> {
    const { decoder, prompts, settings } = await this.#bind(inputs, options);
    yield* decoder.stream(prompts, settings);
  }

  /**
   * Inputs with what the decoder reads first: the start tokens of each row, where nothing is given.
   * Those of a Whisper that has to hear the language first are not computed yet.
   *
   * @throws ModelError where no start token is known.
   */
  withStart<Inputs extends Seq2SeqGenerateInputs>(
    inputs: Inputs,
    options: GenerateOptions = {},
  ): Inputs & { readonly decoderInputIds: Tensor } {
    const { decoderInputIds = this.#start(inputs, options) } = inputs;
    return { ...inputs, decoderInputIds };
  }

  /** A decoder with the source in view, for each of the texts that are written from it. */
  async #bind(
    inputs: Seq2SeqGenerateInputs,
    options: GenerateOptions,
  ): Promise<{
    readonly decoder: CausalLanguageModel;
    readonly prompts: GenerateInputs;
    readonly settings: GenerateOptions;
  }> {
    const length = this.withStart(inputs, options).decoderInputIds.size(1);
    const { rowsPerPrompt: times } = extentOf(this, length, options);
    const encoded = inputs.encoderOutputs ?? this.encode(sourceOf(inputs));
    await evaluate(encoded.lastHiddenState);
    const { decoderInputIds: inputIds } = this.withStart(
      { ...inputs, encoderOutputs: encoded },
      options,
    );
    await evaluate(inputIds);
    const repeat = (t: Tensor): Tensor => (times === 1 ? t : t.repeatInterleave(times, 0));
    const { attentionMask, ...rest } = sourceOf(inputs);
    const decoder = new BoundDecoder(
      this,
      { ...rest, ...(attentionMask && { attentionMask: repeat(attentionMask) }) },
      { ...encoded, lastHiddenState: repeat(encoded.lastHiddenState) },
    );
    // Its start tokens are what old files would force.
    const settings = isSpoken(this.generationConfig)
      ? { ...options, forcedDecoderIds: null }
      : options;
    // The start token is often the padding token, but it is read as any other.
    return { decoder, prompts: { inputIds, attentionMask: onesLike(inputIds) }, settings };
  }

  #start(inputs: Seq2SeqGenerateInputs, options: GenerateOptions): Tensor {
    return startTokens({
      model: this,
      options,
      batch: batchOf(inputs),
      logitsAfter: (start) =>
        this.forward({ ...inputs, decoderInputIds: start }).logits.select(1, 0),
    });
  }
}

/** What an encoder reads. */
function sourceOf(inputs: Seq2SeqGenerateInputs): Seq2SeqSource {
  const others = ["decoderInputIds", "encoderOutputs"];
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !others.includes(name)));
}

/** Rows of a source. */
function batchOf({ encoderOutputs, ...source }: Seq2SeqGenerateInputs): number {
  const tensors = [encoderOutputs?.lastHiddenState, ...Object.values(source)];
  const found = tensors.find((value) => value instanceof Tensor);
  return found?.size(0) ?? fail("generate", "give a source to write from, such as inputIds");
}

/** A decoder that goes on writing from one source: it is a language model like any other. */
class BoundDecoder extends CausalLanguageModel {
  /** Its settings. */
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

  override get sourceIds(): Tensor | undefined {
    return this.#source.inputIds;
  }

  override get timestampTokens(): Timestamps | undefined {
    const { noTimestampsTokenId: id, maxInitialTimestampIndex: most } = this.generationConfig;
    if (typeof id !== "number") return undefined;
    return { noTimestampsTokenId: id, maxInitialIndex: typeof most === "number" ? most : null };
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
