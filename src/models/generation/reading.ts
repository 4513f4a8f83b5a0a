import { fail } from "../../tensor/errors.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../causal-language-model.ts";
import type { CausalLMOutput, DecoderInputs } from "../outputs.ts";
import type { TracedOutput } from "./options.ts";
import type { GenerationPlan } from "./plan.ts";

/** Tensors anywhere inside a cache, whatever the family keeps in it. */
function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(tensorsIn);
}

/** The same cache with every tensor in it changed. */
function changeTensors(value: unknown, change: (t: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return change(value);
  if (Array.isArray(value)) return value.map((part) => changeTensors(part, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, part]) => [name, changeTensors(part, change)]));
}

/** Rows of equal length as a tensor. */
export function int64(rows: readonly (readonly number[])[]): Tensor {
  const shape = [rows.length, rows[0]?.length ?? 0];
  return Tensor.fromData(BigInt64Array.from(rows.flat(), BigInt), shape, "int64");
}

/** How many real tokens stand before each one; as in Hugging Face, 1 at padding. */
function positionsOf(mask: readonly boolean[]): number[] {
  let count = 0;
  return mask.map((real) => (real ? count++ : 1));
}

/** Texts under way, and the passes that read them: with a cache only what is new. */
export class Reading {
  readonly #model: CausalLanguageModel;
  readonly #plan: GenerationPlan;
  #rows: number[][];
  /** [rows, 1], to be read next; only with a cache. */
  #next: Tensor | undefined;
  #cache: unknown;
  #count = 0;

  constructor(model: CausalLanguageModel, plan: GenerationPlan) {
    this.#model = model;
    this.#plan = plan;
    this.#rows = plan.prompt.rows.map((row) => [...row]);
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
   * Reads what is new. What is `kept` has to be computed in the step's program.
   * @returns `last` [rows, 1, vocabulary]: the logits of the next token.
   */
  read(): { readonly last: Tensor; readonly kept: readonly Tensor[] } {
    const { useCache = true } = this.#plan.options;
    const output = this.#forward();
    const last = output.logits.slice(1, output.logits.size(1) - 1);
    if (useCache) this.#cache = output.pastKeyValues;
    const cached = useCache ? tensorsIn(output.pastKeyValues) : [];
    return { last, kept: [...cached, ...(output.also ?? [])] };
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
    const rows = parents.length;
    this.#cache = changeTensors(this.#cache, (t) => {
      if (t.size(0) === rows) return t.indexSelect(0, parents);
      if (t.size(0) === 1) return t; // The same for all rows.
      return fail("generate", `beams: the cache holds ${show(t.shape)}, wanted ${rows} rows first`);
    });
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
