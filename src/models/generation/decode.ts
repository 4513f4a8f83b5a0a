import { apply } from "../../tensor/apply.ts";
import { internal, fail } from "../../tensor/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { GenerateStep } from "./options.ts";
import type { GenerationPlan } from "./plan.ts";
import { int64 } from "./int64.ts";
import { Reading } from "./reading.ts";
import type { Wanted } from "./replayed-steps.ts";
import { changesLogits, draw, likeliest, scoresOf } from "./scores.ts";

/** A token chosen for each row, and what it was chosen by. */
interface Choice {
  readonly tokens: readonly number[];
  /** [rows, vocabulary] */
  readonly logits?: Tensor;
  /** [rows, vocabulary] */
  readonly scores?: Tensor;
  /** The tokens as a tensor [rows, 1], if they came as one. */
  readonly tensor?: Tensor;
}

/** The one loop behind `generate` and `stream`: reads, chooses a token for each row, appends it. */
export class Decoding {
  readonly #plan: GenerationPlan;
  readonly #reading: Reading;
  readonly #ended: boolean[];
  /** Whether the likeliest token is chosen, by the program itself. */
  readonly #isGreedy: boolean;
  readonly #wanted: Wanted;

  /** @throws TensorError for a plan with beams, which do not grow token by token. */
  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    if (plan.beams !== undefined) {
      fail("generate", "numBeams is for generate() of language models; leave it out here");
    }
    this.#plan = plan;
    this.#reading = new Reading(model, plan);
    this.#ended = plan.prompt.rows.map(() => false);
    this.#isGreedy = plan.generators === undefined && !changesLogits(plan.scores);
    const { outputLogits = false, outputScores = false } = plan.options;
    const kept = outputLogits || outputScores;
    this.#wanted = {
      of: (last) => {
        if (!this.#isGreedy) return [last];
        // What is not a number shows in the sum, and need not count as the greatest.
        const likeliest = apply("argmax", [last], { dim: 2, keepdim: false });
        return [likeliest, last.sum({ dim: -1 }), ...(kept ? [last] : [])];
      },
      choosesFirst: this.#isGreedy && !kept,
    };
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
    const choice = await this.#choose();
    const tokens = this.#append(choice);
    return {
      index,
      tokens,
      ended: [...this.#ended],
      ...(outputLogits ? { logits: choice.logits ?? internal("no logits were kept") } : {}),
      ...(outputScores ? { scores: choice.scores ?? internal("no scores were made") } : {}),
    };
  }

  async #choose(): Promise<Choice> {
    const outputs = await this.#reading.read(this.#wanted);
    if (!this.#isGreedy) return this.#chooseOnHost(this.#logits(outputs[0]));
    const [tensor, sum, last] = outputs;
    if (tensor === undefined || sum === undefined) return internal("nothing was chosen");
    refuseNaN((await sum.data()) as Float32Array);
    const tokens = Array.from(await tensor.data(), Number);
    if (last === undefined) return { tokens, tensor };
    const logits = this.#logits(last);
    return { tokens, tensor, logits, scores: logits };
  }

  /** Logits as [rows, vocabulary]. */
  #logits(last: Tensor | undefined): Tensor {
    const values = last?.values ?? internal("no logits were read");
    const rows = this.#reading.rows.length;
    return Tensor.fromData(values, [rows, values.length / rows]);
  }

  #chooseOnHost(given: Tensor): Choice {
    const logits = given.values as Float32Array;
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
    return { tokens, logits: given, scores: Tensor.fromData(all, [rows.length, size]) };
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
