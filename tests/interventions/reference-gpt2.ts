import type { GPT2LMHeadModel } from "tsvene";

/** [rows][columns], or [positions][width]. */
export type Matrix = readonly (readonly number[])[];

/** Components of the reference: every tensor that a row of a layer goes through. */
export type Place =
  | "block_input"
  | "attention_input"
  | "query_output"
  | "key_output"
  | "value_output"
  | "attention_value_output"
  | "attention_output"
  | "mlp_input"
  | "mlp_activation"
  | "mlp_output"
  | "block_output";

/** Gets what stands at a place, [positions][width], and gives what stands there instead. */
export type Hook = (layer: number, place: Place, value: Matrix) => Matrix;

const map = (x: Matrix, f: (v: number, row: number, column: number) => number): number[][] =>
  x.map((row, i) => row.map((v, j) => f(v, i, j)));
const at = (x: Matrix, i: number, j: number): number => x[i]?.[j] ?? NaN;
const add = (a: Matrix, b: Matrix): Matrix => map(a, (v, i, j) => v + at(b, i, j));

/** Every row of `a` times every row of `weight`, as linear layers keep it: [out][in]. */
function multiply(a: Matrix, weight: Matrix): Matrix {
  return a.map((row) => weight.map((w) => row.reduce((sum, v, k) => sum + v * (w[k] ?? NaN), 0)));
}

function softmax(row: readonly number[]): number[] {
  const max = Math.max(...row);
  const powers = row.map((v) => Math.exp(v - max));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((v) => v / sum);
}

function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/**
 * A GPT-2 in plain numbers, one row of the batch at a time, written for obviousness: no tensors, no
 * laziness, and every place that a hook may change is a line of {@link ReferenceGPT2.logits}.
 */
export class ReferenceGPT2 {
  readonly #weights: ReadonlyMap<string, Matrix>;
  readonly #heads: number;
  readonly #layers: number;

  private constructor(weights: ReadonlyMap<string, Matrix>, heads: number, layers: number) {
    this.#weights = weights;
    this.#heads = heads;
    this.#layers = layers;
  }

  /** The same weights as a model's. */
  static async of(model: GPT2LMHeadModel): Promise<ReferenceGPT2> {
    const weights = new Map<string, Matrix>();
    for (const [name, { value }] of model.transformer.namedParameters()) {
      const nested = (await value.toArray()) as number[] | number[][];
      weights.set(name, (Array.isArray(nested[0]) ? nested : [nested]) as Matrix);
    }
    return new ReferenceGPT2(weights, model.config.nHead, model.config.nLayer);
  }

  /** Logits [position][vocabulary] of one row of token ids. */
  logits(ids: readonly number[], hook: Hook = (_layer, _place, value) => value): Matrix {
    let x: Matrix = ids.map((id, position) =>
      (this.#weight("wte.weight")[id] ?? []).map(
        (v, j) => v + at(this.#weight("wpe.weight"), position, j),
      ),
    );
    for (let layer = 0; layer < this.#layers; layer++) {
      const pass = (place: Place, value: Matrix): Matrix => hook(layer, place, value);
      const name = (rest: string): string => `h.${layer}.${rest}`;
      x = pass("block_input", x);
      const attended = pass("attention_input", this.#norm(name("ln_1"), x));
      const fused = this.#linear(name("attn.c_attn"), attended);
      const width = (fused[0]?.length ?? 0) / 3;
      const third = (i: number): Matrix => fused.map((r) => r.slice(i * width, (i + 1) * width));
      const q = pass("query_output", third(0));
      const k = pass("key_output", third(1));
      const v = pass("value_output", third(2));
      const mixed = pass("attention_value_output", this.#attend(q, k, v));
      const attention = pass("attention_output", this.#linear(name("attn.c_proj"), mixed));
      const middle = add(attention, x);
      const read = pass("mlp_input", this.#norm(name("ln_2"), middle));
      const inner = map(this.#linear(name("mlp.c_fc"), read), gelu);
      const activation = pass("mlp_activation", inner);
      const mlp = pass("mlp_output", this.#linear(name("mlp.c_proj"), activation));
      x = pass("block_output", add(middle, mlp));
    }
    const last = this.#norm("ln_f", x);
    return multiply(last, this.#weight("wte.weight"));
  }

  #weight(name: string): Matrix {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`the model has no ${name}`);
    return weight;
  }

  #linear(name: string, x: Matrix): Matrix {
    const bias = this.#weight(`${name}.bias`);
    return map(multiply(x, this.#weight(`${name}.weight`)), (v, _, j) => v + at(bias, 0, j));
  }

  #norm(name: string, x: Matrix): Matrix {
    const [weight, bias] = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    return x.map((row) => {
      const mean = row.reduce((a, b) => a + b) / row.length;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
      return row.map(
        (v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * at(weight, 0, j) + at(bias, 0, j),
      );
    });
  }

  /** What all heads read, side by side: [positions][width]. */
  #attend(q: Matrix, k: Matrix, v: Matrix): Matrix {
    const size = (q[0]?.length ?? 0) / this.#heads;
    return q.map((query, position) =>
      Array.from({ length: this.#heads }, (_, head) => {
        const own = (row: readonly number[]): readonly number[] =>
          row.slice(head * size, (head + 1) * size);
        const scores = k.slice(0, position + 1).map((key) => {
          const product = own(query).reduce((sum, a, j) => sum + a * (own(key)[j] ?? NaN), 0);
          return product / Math.sqrt(size);
        });
        const weights = softmax(scores);
        return Array.from({ length: size }, (__, j) =>
          weights.reduce((sum, w, key) => sum + w * (own(v[key] ?? [])[j] ?? NaN), 0),
        );
      }).flat(),
    );
  }
}
