import { internal, fail } from "../../tensor/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { GenerateStep } from "./options.ts";
import type { GenerationPlan } from "./plan.ts";
import { int64, Reading } from "./reading.ts";
import { changesLogits, draw, likeliest, scoresOf } from "./scores.ts";

/** A token chosen for each row, and what it was chosen by. */
interface Choice {
  readonly tokens: readonly number[];
  readonly scores?: Tensor;
  /** The tokens as a tensor [rows, 1], if they came as one. */
  readonly tensor?: Tensor;
}

/** The one loop behind `generate` and `stream`: reads, chooses a token for each row, appends it. */
export class Decoding {
  readonly #plan: GenerationPlan;
  readonly #reading: Reading;
  readonly #ended: boolean[];

  /** @throws TensorError for a plan with beams, which do not grow token by token. */
  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    if (plan.beams !== undefined) {
      fail("generate", "numBeams is for generate() of language models; leave it out here");
    }
    this.#plan = plan;
    this.#reading = new Reading(model, plan);
    this.#ended = plan.prompt.rows.map(() => false);
  }

  /** Prompts and new tokens so far, [rows, length] int64. */
  get sequences(): Tensor {
    return int64(this.#reading.rows);
  }

  async *steps(): AsyncGenerator<GenerateStep> {
    const { maxNewTokens, options } = this.#plan;
    while (this.#reading.count < maxNewTokens && this.#ended.includes(false)) {
      options.signal?.throwIfAborted();
      yield await this.#step();
    }
  }

  async #step(): Promise<GenerateStep> {
    const { outputLogits = false, outputScores = false } = this.#plan.options;
    const index = this.#reading.count;
    const { last, kept } = this.#reading.read();
    const choice = await this.#choose(last, kept);
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

  /** @param last [rows, 1, vocabulary] */
  async #choose(last: Tensor, kept: readonly Tensor[]): Promise<Choice> {
    const { scores, generators, options } = this.#plan;
    const logits = options.outputLogits === true || options.outputScores === true ? [last] : [];
    if (generators === undefined && !changesLogits(scores)) {
      const tensor = last.argmax(-1);
      const sum = last.sum({ dim: -1 });
      await evaluate(tensor, sum, ...logits, ...kept);
      refuseNaN((await sum.data()) as Float32Array);
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
    const { rows, count } = this.#reading;
    const size = logits.length / rows.length;
    const all = new Float32Array(logits.length);
    const tokens = rows.map((ids, i) => {
      const own = logits.subarray(i * size, (i + 1) * size);
      const scores = scoresOf(own, ids, count, settings);
      all.set(scores, i * size);
      if (this.#ended[i] === true) return padTokenId;
      refuseNaN(scores);
      const generator = generators?.[i];
      if (generator === undefined) return likeliest(scores);
      return draw(scores, generator.uniform());
    });
    return { tokens, scores: Tensor.fromData(all, [rows.length, size]) };
  }

  #append({ tokens: chosen, tensor }: Choice): readonly number[] {
    const { eosTokenIds, padTokenId } = this.#plan;
    const hadEnded = this.#ended.includes(true);
    const tokens = chosen.map((token, i) => (this.#ended[i] === true ? padTokenId : token));
    tokens.forEach((token, i) => (this.#ended[i] ||= eosTokenIds.has(token)));
    this.#reading.append(tokens, hadEnded ? undefined : tensor);
    return tokens;
  }
}

/** The likeliest of what is not a number would be some token or other. */
function refuseNaN(values: Float32Array): void {
  if (values.some(Number.isNaN)) fail("generate", "the model's logits are not numbers (NaN)");
}
