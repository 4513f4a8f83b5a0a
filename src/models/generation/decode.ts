import { internal, fail } from "../../tensor/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { CausalLMOutput, DecoderInputs } from "../outputs.ts";
import type { GenerateStep, TracedOutput } from "./options.ts";
import type { GenerationPlan } from "./plan.ts";
import { changesLogits, draw, likeliest, scoresOf } from "./scores.ts";

/** Tensors anywhere inside a cache, whatever the family keeps in it. */
function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(tensorsIn);
}

function int64(rows: readonly (readonly number[])[]): Tensor {
  const shape = [rows.length, rows[0]?.length ?? 0];
  return Tensor.fromData(BigInt64Array.from(rows.flat(), BigInt), shape, "int64");
}

/** How many real tokens stand before each one; as in Hugging Face, 1 at padding. */
function positionsOf(mask: readonly boolean[]): number[] {
  let count = 0;
  return mask.map((real) => (real ? count++ : 1));
}

/** A token chosen for each row, and what it was chosen by. */
interface Choice {
  readonly tokens: readonly number[];
  readonly scores?: Tensor;
  /** The tokens as a tensor [rows, 1], if they came as one. */
  readonly tensor?: Tensor;
}

/** The one loop behind `generate` and `stream`: reads, chooses a token for each row, appends it. */
export class Decoding {
  readonly #model: CausalLanguageModel;
  readonly #plan: GenerationPlan;
  readonly #rows: number[][];
  readonly #ended: boolean[];
  /** [rows, 1], to be read next; only with a cache. */
  #next: Tensor | undefined;
  #cache: unknown;
  #count = 0;

  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    this.#model = model;
    this.#plan = plan;
    this.#rows = plan.prompt.rows.map((row) => [...row]);
    this.#ended = plan.prompt.rows.map(() => false);
  }

  /** Prompts and new tokens so far, [rows, length] int64. */
  get sequences(): Tensor {
    return int64(this.#rows);
  }

  async *steps(): AsyncGenerator<GenerateStep> {
    const { maxNewTokens, options } = this.#plan;
    while (this.#count < maxNewTokens && this.#ended.includes(false)) {
      options.signal?.throwIfAborted();
      yield await this.#step();
    }
  }

  async #step(): Promise<GenerateStep> {
    const { outputLogits = false, outputScores = false, useCache = true } = this.#plan.options;
    const output = this.#forward();
    const last = output.logits.slice(1, output.logits.size(1) - 1);
    if (useCache) this.#cache = output.pastKeyValues;
    const kept = [...(useCache ? tensorsIn(output.pastKeyValues) : []), ...(output.also ?? [])];
    const choice = await this.#choose(last, kept);
    const index = this.#count;
    const tokens = this.#append(choice);
    const logits = last.reshape([last.size(0), last.size(2)]);
    return {
      index,
      tokens,
      ended: [...this.#ended],
      ...(outputLogits ? { logits: Tensor.fromData(await last.data(), logits.shape) } : {}),
      ...(outputScores ? { scores: choice.scores ?? internal("no scores were made") } : {}),
    };
  }

  #forward(): TracedOutput {
    const { prompt, options } = this.#plan;
    const inputs = this.#inputs();
    const run = (): CausalLMOutput<unknown> => this.#model.forward(inputs);
    if (options.trace === undefined) return run();
    const pastLength = this.#cache === undefined ? 0 : prompt.length + this.#count - 1;
    const isPrompt = this.#cache === undefined;
    const step = { index: this.#count, isPrompt, pastLength, promptLength: prompt.length };
    return options.trace(step, run);
  }

  #inputs(): DecoderInputs<unknown> {
    const { mask } = this.#plan.prompt;
    const cached = this.#cache !== undefined;
    const inputIds = (cached ? this.#next : undefined) ?? int64(this.#rows);
    const past = this.#cache === undefined ? {} : { pastKeyValues: this.#cache };
    if (mask === undefined) return { inputIds, ...past };
    const added = Array.from({ length: this.#count }, () => true);
    const real = mask.map((row) => [...row, ...added]);
    const positions = real.map(positionsOf).map((row) => (cached ? row.slice(-1) : row));
    const attentionMask = int64(real.map((row) => row.map(Number)));
    return { inputIds, attentionMask, positionIds: int64(positions), ...past };
  }

  /** @param last [rows, 1, vocabulary] */
  async #choose(last: Tensor, kept: readonly Tensor[]): Promise<Choice> {
    const { scores, generators, options } = this.#plan;
    const logits = options.outputLogits === true || options.outputScores === true ? [last] : [];
    if (generators === undefined && !changesLogits(scores)) {
      const tensor = last.argmax(-1);
      await evaluate(tensor, ...logits, ...kept);
      const tokens = Array.from(await tensor.data(), Number);
      if (options.outputScores !== true) return { tokens, tensor };
      const shape = [last.size(0), last.size(2)];
      return { tokens, tensor, scores: Tensor.fromData(await last.data(), shape) };
    }
    await evaluate(last, ...kept);
    return this.#chooseOnHost((await last.data()) as Float32Array);
  }

  #chooseOnHost(logits: Float32Array): Choice {
    const { scores: settings, generators, padTokenId } = this.#plan;
    const size = logits.length / this.#rows.length;
    const all = new Float32Array(logits.length);
    const tokens = this.#rows.map((ids, i) => {
      const own = logits.subarray(i * size, (i + 1) * size);
      const scores = scoresOf(own, ids, this.#count, settings);
      all.set(scores, i * size);
      if (this.#ended[i] === true) return padTokenId;
      const generator = generators?.[i];
      if (generator === undefined) return likeliest(scores);
      if (scores.some(Number.isNaN)) fail("generate", "the model's logits are not numbers (NaN)");
      return draw(scores, generator.uniform());
    });
    return { tokens, scores: Tensor.fromData(all, [this.#rows.length, size]) };
  }

  #append({ tokens: chosen, tensor }: Choice): readonly number[] {
    const { eosTokenIds, padTokenId } = this.#plan;
    const hadEnded = this.#ended.includes(true);
    const tokens = chosen.map((token, i) => (this.#ended[i] === true ? padTokenId : token));
    tokens.forEach((token, i) => {
      this.#rows[i]?.push(token);
      this.#ended[i] ||= eosTokenIds.has(token);
    });
    this.#next = tensor === undefined || hadEnded ? int64(tokens.map((t) => [t])) : tensor;
    this.#count++;
    return tokens;
  }
}
