import { internal } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type { CausalLMOutput, DecoderInputs } from "../parts/outputs.ts";
import type { AlikePass, PassTrace, TracedOutput, TraceStep } from "./options.ts";
import { changeTensors, pickRows, tensorsIn } from "./cache.ts";
import { int64 } from "./int64.ts";
import type { GenerationPlan } from "./plan.ts";
import { ReplayedSteps, type StepRead } from "./replayed-steps.ts";
import { rowNumbers, type Wanted } from "./traced-steps.ts";

/** Passes that do nothing besides are alike. */
const PLAIN: AlikePass = {
  kind: { trace: (_, run) => ({ ...run(), met: [] }), held: [] },
  given: [],
  take: () => undefined,
};

/** How many real tokens come before each one; as in Hugging Face, 1 at padding. */
function positionsOf(mask: readonly boolean[]): number[] {
  let count = 0;
  return mask.map((real) => (real ? count++ : 1));
}

/** Texts under way, and the passes that read them: with a cache only what is new. */
export class Reading {
  readonly #model: CausalLanguageModel;
  readonly #plan: GenerationPlan;
  /** Real tokens of the prompts. */
  readonly #lengths: readonly number[];
  #rows: number[][];
  /** [rows, 1], to be read next; only with a cache. */
  #next: Tensor | undefined;
  #cache: unknown;
  #count = 0;
  /** Steps that were made ahead. */
  #ahead: readonly StepRead[] = [];
  /** Undefined before the first step that a cache serves. */
  #steps: ReplayedSteps | "none" | undefined;

  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    this.#model = model;
    this.#plan = plan;
    this.#rows = plan.prompt.rows.map((row) => [...row]);
    const { mask, length } = plan.prompt;
    this.#lengths = mask?.map((row) => row.filter(Boolean).length) ?? [length];
  }

  /** Prompts and new tokens so far. */
  get rows(): readonly (readonly number[])[] {
    return this.#rows;
  }

  /** New tokens so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Reads what is new.
   *
   * @param wanted - The same at each step.
   * @returns what was wanted, computed.
   */
  async read(wanted: Wanted): Promise<readonly Tensor[]> {
    if (this.#ahead.length > 0) return this.#takeNext(this.#ahead);
    if (this.#changesAt(this.#count)) this.#readAnew();
    const token = this.#next;
    if (this.#cache !== undefined && token !== undefined) {
      const steps = await this.#replayed(wanted)?.read(token);
      if (steps !== undefined) return this.#takeNext(steps);
      this.#goOnWithout();
    }
    const { useCache, calls } = this.#plan;
    const output = this.#forward(calls.passes?.trace ?? calls.trace);
    if (this.#count === 0) await calls.passes?.begin((...pass) => this.#rehearse(...pass, output));
    const outputs = wanted.of(output.logits.slice(1, output.logits.size(1) - 1));
    const cached = useCache ? tensorsIn(output.pastKeyValues) : [];
    await evaluate(...outputs, ...cached, ...(output.also ?? []));
    if (useCache) this.#cache = output.pastKeyValues;
    return outputs;
  }

  /** The first of the steps, which come in turn. */
  #takeNext([first, ...later]: readonly StepRead[]): readonly Tensor[] {
    this.#ahead = later;
    first?.take();
    return first?.wanted ?? internal("no step was read");
  }

  /** The steps that are traced once, where that can be. */
  #replayed(wanted: Wanted): ReplayedSteps | undefined {
    if (this.#steps !== undefined) return this.#steps === "none" ? undefined : this.#steps;
    const { prompt, calls, beams, images, maxNewTokens } = this.#plan;
    const alike =
      calls.trace === undefined && Object.keys(images.later).length === 0 && !this.#model.training;
    const real = this.#rows.map((row, i) => row.slice(0, -1).map((_, at) => prompt.mask?.[i]?.[at] ?? true)); // prettier-ignore
    const length = prompt.length + this.#nextChange(maxNewTokens) - 1;
    const passAfter = (read: number): AlikePass | undefined =>
      calls.passes === undefined ? PLAIN : calls.passes.alike(this.#passAfter(read));
    const text = {
      model: this.#model,
      cache: this.#cache,
      real,
      length,
      wanted,
      reorders: beams !== undefined,
      passAfter,
    };
    const steps = alike ? ReplayedSteps.begin(text) : undefined;
    this.#steps = steps ?? "none";
    return steps;
  }

  /** Whether the cache is of no use to the step of a number, which reads one token more. */
  #changesAt(step: number): boolean {
    if (this.#cache === undefined) return false;
    return this.#lengths.some((real) => this.#model.changesAt(real + step - 1, real + step));
  }

  /** The next step from now on that the cache is of no use to, or else the one after the last. */
  #nextChange(maxNewTokens: number): number {
    const { count } = this;
    const left = Array.from({ length: maxNewTokens - count }, (_, i) => count + i);
    return left.find((step) => this.#changesAt(step)) ?? maxNewTokens;
  }

  /** The next step reads the whole text. */
  #readAnew(): void {
    this.#cache = undefined;
    this.#next = undefined;
    this.#steps = undefined;
  }

  /** From now on each step is traced. */
  #goOnWithout(): void {
    if (this.#steps instanceof ReplayedSteps) this.#cache = this.#steps.cache;
    this.#steps = "none";
  }

  /** Adds a token to each row; `tensor` is the same as [rows, 1], if there is one. */
  append(tokens: readonly number[], tensor?: Tensor): void {
    tokens.forEach((token, i) => this.#rows[i]?.push(token));
    this.#next = tensor ?? int64(tokens.map((t) => [t]));
    this.#count++;
  }

  /** Goes on from other rows: the new row i from the old row `parents[i]`. */
  reorder(parents: readonly number[]): void {
    this.#rows = parents.map((parent) => [...(this.#rows[parent] ?? [])]);
    if (this.#steps instanceof ReplayedSteps) this.#steps.reorder(parents);
    else {
      const order = rowNumbers(parents);
      this.#cache = changeTensors(this.#cache, (t) => pickRows(t, order));
    }
  }

  #forward(trace: PassTrace | undefined): TracedOutput {
    const inputs = this.#inputs();
    const run = (): CausalLMOutput<unknown> => this.#model.forward(inputs);
    if (trace === undefined) return run();
    const { prompt } = this.#plan;
    return trace(
      this.#passAfter(this.#cache === undefined ? 0 : prompt.length + this.#count - 1),
      run,
    );
  }

  /** The next pass, or a later one, which reads what comes after so many tokens. */
  #passAfter(pastLength: number): TraceStep {
    const { length: promptLength } = this.#plan.prompt;
    const isPrompt = pastLength === 0;
    const index = isPrompt ? this.#count : pastLength - promptLength + 1;
    return { index, isPrompt, pastLength, promptLength };
  }

  /** Traces a pass as it will be after any tokens, where the first one gave `first`. */
  #rehearse(index: number, trace: PassTrace, first: TracedOutput): void {
    const later = new Reading(this.#model, this.#plan);
    const token = this.#rows.map(() => 0);
    while (later.count < index - 1) later.append(token);
    if (index > 0 && this.#plan.useCache) {
      const { pastKeyValues } = index === 1 ? first : later.#forward(undefined);
      later.#cache = pastKeyValues;
    }
    if (index > 0) later.append(token);
    if (later.#changesAt(index)) later.#readAnew();
    later.#forward(trace);
  }

  #inputs(): DecoderInputs<unknown> {
    const { prompt, images } = this.#plan;
    const { mask } = prompt;
    const cached = this.#cache !== undefined;
    const seen = cached ? images.later : images.first;
    const inputIds = (cached ? this.#next : undefined) ?? int64(this.#rows);
    const past = this.#cache === undefined ? {} : { pastKeyValues: this.#cache };
    if (mask === undefined) return { inputIds, ...past, ...seen };
    const added = Array.from({ length: this.#count }, () => true);
    const real = mask.map((row) => [...row, ...added]);
    const positions = real.map(positionsOf).map((row) => (cached ? row.slice(-1) : row));
    const attentionMask = int64(real.map((row) => row.map(Number)));
    return { inputIds, attentionMask, positionIds: int64(positions), ...past, ...seen };
  }
}
