import { apply } from "../../tensor/ops/apply.ts";
import { internal } from "../../base/errors.ts";
import { fail } from "../../nn/errors.ts";
import type { RankedTensor } from "../../tensor/ranked.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import { sayNotFinite } from "./finite-logits.ts";
import type { GenerateStep } from "./options.ts";
import type { GenerationPlan } from "./plan.ts";
import { int64 } from "./int64.ts";
import { Reading } from "./reading.ts";
import type { Wanted } from "./traced-steps.ts";
import { draw, likeliest } from "./choose.ts";
import { requireChoice, requireNumbers, scoresOf } from "./scores.ts";

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

/** The loop of `generate` and `stream`: reads, chooses a token for each row, appends it. */
export class Decoding {
  readonly #plan: GenerationPlan;
  readonly #reading: Reading;
  readonly #ended: boolean[];
  /** Whether the likeliest token is chosen, by the program itself. */
  readonly #isGreedy: boolean;
  readonly #wanted: Wanted;

  /** @throws ModelError for a plan with beams, which do not grow token by token. */
  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    if (plan.beams !== undefined) {
      fail("generate", "numBeams is for generate() of language models; leave it out here");
    }
    this.#plan = plan;
    this.#reading = new Reading(model, plan);
    this.#ended = plan.prompt.rows.map(() => false);
    this.#isGreedy = plan.generators === undefined && plan.processes.length === 0;
    const { output, stopping } = plan;
    const kept = output.logits || output.scores || stopping.looks;
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
  get sequences(): RankedTensor<2> {
    return int64(this.#reading.rows);
  }

  async *steps(): AsyncGenerator<GenerateStep> {
    const { maxNewTokens, calls, stopping } = this.#plan;
    stopping.start();
    while (this.#reading.count < maxNewTokens && this.#ended.includes(false)) {
      calls.signal?.throwIfAborted();
      yield await this.#step();
    }
  }

  async #step(): Promise<GenerateStep> {
    const { output } = this.#plan;
    const index = this.#reading.count;
    const choice = await this.#choose();
    const tokens = this.#append(choice);
    return {
      index,
      tokens,
      ended: [...this.#ended],
      ...(output.logits ? { logits: choice.logits ?? internal("no logits were kept") } : {}),
      ...(output.scores ? { scores: choice.scores ?? internal("no scores were made") } : {}),
    };
  }

  async #choose(): Promise<Choice> {
    const outputs = await this.#reading.read(this.#wanted);
    if (!this.#isGreedy) return this.#chooseOnHost(this.#logits(outputs[0]));
    const [tensor, sum, last] = outputs;
    if (tensor === undefined || sum === undefined) return internal("nothing was chosen");
    const sums = (await sum.data()) as Float32Array;
    requireNumbers(sums);
    sayInfinite(sums);
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
    const { processes, generators, padTokenId, prompt } = this.#plan;
    sayInfinite(logits);
    const { rows } = this.#reading;
    const size = logits.length / rows.length;
    const all = new Float32Array(logits.length);
    const tokens = rows.map((ids, i) => {
      const own = logits.subarray(i * size, (i + 1) * size);
      const text = { ids, row: i, promptLength: prompt.length };
      const scores = scoresOf(own, text, processes);
      all.set(scores, i * size);
      if (this.#ended[i] === true) return padTokenId;
      requireNumbers(scores);
      const best = likeliest(scores);
      requireChoice(scores[best] ?? NaN, processes);
      const generator = generators?.[i];
      return generator === undefined ? best : draw(scores, generator.uniform());
    });
    return { tokens, logits: given, scores: Tensor.fromData(all, [rows.length, size]) };
  }

  #append({ tokens: chosen, tensor, scores }: Choice): readonly number[] {
    const { eosTokenIds, padTokenId, stopping } = this.#plan;
    const hadEnded = [...this.#ended];
    const tokens = chosen.map((token, i) => (hadEnded[i] === true ? padTokenId : token));
    this.#reading.append(tokens, hadEnded.includes(true) ? undefined : tensor);
    const isLate = stopping.isLate();
    const values = stopping.looks ? (scores?.values as Float32Array) : undefined;
    const size = (values?.length ?? 0) / tokens.length;
    this.#reading.rows.forEach((ids, i) => {
      const token = tokens[i] ?? padTokenId;
      if (hadEnded[i] === true) return;
      const own = values?.subarray(i * size, (i + 1) * size);
      // All criteria are asked, as those of the caller may count.
      const stops = own !== undefined && stopping.ends([...ids], own);
      this.#ended[i] = stops || isLate || eosTokenIds.has(token);
    });
    return tokens;
  }
}

/** An infinite logit, which shows in a sum too, outweighs all others or is never chosen. */
function sayInfinite(values: Float32Array): void {
  const found = values.find((value) => Math.abs(value) === Infinity);
  if (found !== undefined) sayNotFinite("generate", found);
}
