import { InferenceSession, Tensor } from "#ort";
import { encodeModel } from "../src/runtime/onnx/encode.ts";
import type { OnnxAttributes, OnnxExternalTensor, OnnxNode } from "../src/runtime/onnx/model.ts";

/** Sizes of the GPT-2 that the floor runs. */
export interface FloorConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  /** Length of the sequence: the floor is built for this one. */
  readonly tokens: number;
  /** @default 1e-5 */
  readonly epsilon?: number;
}

export interface FloorOptions {
  /**
   * How the matrices of `c_attn`, `c_fc` and `c_proj` lie: `"in-out"` as in Hugging Face's files,
   * `"out-in"` as in a linear layer.
   *
   * @default "in-out"
   */
  readonly layout?: "in-out" | "out-in";
  /** @default 2 */
  readonly threads?: number;
}

/** The engine's own limit: GPT-2 as one fixed ONNX program with its weights inside. */
export interface Floor {
  /** Logits of all positions, row by row: tokens x vocabulary. */
  run(ids: readonly number[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Builds GPT-2 by hand as ONNX Runtime runs it fastest: fixed sizes, ONNX's fused attention, gelu
 * and layer norm, and weights as initializers, which ONNX Runtime packs for its kernels once and
 * for all. Nothing inside can be read or edited, and it takes seconds to build and a second copy of
 * the weights: a library cannot work like this, but none that runs on ONNX Runtime is faster.
 *
 * @param weights - Values by Hugging Face's names (`transformer.h.0.attn.c_attn.weight`, ...).
 */
export async function createFloor(
  config: FloorConfig,
  weights: Readonly<Record<string, Float32Array>>,
  { layout = "in-out", threads = 2 }: FloorOptions = {},
): Promise<Floor> {
  const builder = new FloorBuilder(config, weights, layout);
  const graph = builder.build();
  const session = await InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    externalData: builder.files,
    extra: { session: { force_spinning_stop: "1" } },
  });
  return {
    async run(ids) {
      if (ids.length !== config.tokens) {
        throw new Error(`Floor.run: got ${ids.length} ids, built for ${config.tokens}`);
      }
      const feed = new Tensor("int64", BigInt64Array.from(ids, BigInt), [ids.length]);
      const { logits } = await session.run({ ids: feed });
      return logits?.data as Float32Array;
    },
    release: () => session.release(),
  };
}

/** Opset 23 brought the attention operator. */
const OPSET = 23;

class FloorBuilder {
  readonly files: { path: string; data: Uint8Array }[] = [];
  readonly #config: FloorConfig;
  readonly #weights: Readonly<Record<string, Float32Array>>;
  readonly #transB: number;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxExternalTensor[] = [];

  constructor(
    config: FloorConfig,
    weights: Readonly<Record<string, Float32Array>>,
    layout: "in-out" | "out-in",
  ) {
    this.#config = config;
    this.#weights = weights;
    this.#transB = layout === "out-in" ? 1 : 0;
  }

  build(): Uint8Array {
    const { layers, width, vocabulary, tokens } = this.#config;
    const wte = this.#weight("transformer.wte.weight", [vocabulary, width]);
    const wpe = this.#weight("transformer.wpe.weight", [tokens, width]);
    let x = this.#add("Gather", [wte, "ids"]);
    x = this.#add("Add", [x, wpe]);
    for (let layer = 0; layer < layers; layer++) x = this.#block(x, `transformer.h.${layer}`);
    x = this.#layerNorm(x, "transformer.ln_f");
    this.#node("Gemm", [x, wte], ["logits"], { transB: { int: 1 } });
    return encodeModel(
      {
        name: "gpt2",
        nodes: this.#nodes,
        initializers: this.#initializers,
        inputs: [{ name: "ids", dtype: "int64", dims: [tokens] }],
        outputs: [{ name: "logits", dtype: "float32", dims: [tokens, vocabulary] }],
      },
      { opset: OPSET },
    );
  }

  #block(input: string, name: string): string {
    const { width } = this.#config;
    const attention = this.#attention(this.#layerNorm(input, `${name}.ln_1`), `${name}.attn`);
    const x = this.#add("Add", [input, attention]);
    let h = this.#layerNorm(x, `${name}.ln_2`);
    h = this.#linear(h, `${name}.mlp.c_fc`, width, 4 * width);
    h = this.#add("Gelu", [h], { approximate: { string: "tanh" } });
    h = this.#linear(h, `${name}.mlp.c_proj`, 4 * width, width);
    return this.#add("Add", [x, h]);
  }

  #attention(x: string, name: string): string {
    const { width, heads, tokens } = this.#config;
    const qkv = this.#reshape(this.#linear(x, `${name}.c_attn`, width, 3 * width), [
      1,
      tokens,
      3 * width,
    ]);
    const parts = ["q", "k", "v"].map((part) => `${name}.${part}`);
    this.#node("Split", [qkv], parts, { axis: { int: 2 }, num_outputs: { int: 3 } });
    const context = this.#add("Attention", parts, {
      q_num_heads: { int: heads },
      kv_num_heads: { int: heads },
      is_causal: { int: 1 },
    });
    return this.#linear(this.#reshape(context, [tokens, width]), `${name}.c_proj`, width, width);
  }

  #layerNorm(x: string, name: string): string {
    const { width, epsilon = 1e-5 } = this.#config;
    const scale = this.#weight(`${name}.weight`, [width]);
    const shift = this.#weight(`${name}.bias`, [width]);
    return this.#add("LayerNormalization", [x, scale, shift], {
      axis: { int: -1 },
      epsilon: { float: epsilon },
    });
  }

  #linear(x: string, name: string, inputs: number, outputs: number): string {
    const dims = this.#transB === 1 ? [outputs, inputs] : [inputs, outputs];
    const weight = this.#weight(`${name}.weight`, dims);
    const bias = this.#weight(`${name}.bias`, [outputs]);
    return this.#add("Gemm", [x, weight, bias], { transB: { int: this.#transB } });
  }

  #reshape(x: string, dims: readonly number[]): string {
    const shape = this.#add("Constant", [], { value_ints: { ints: dims } });
    return this.#add("Reshape", [x, shape]);
  }

  #weight(name: string, dims: readonly number[]): string {
    const values = this.#weights[name];
    const size = dims.reduce((a, b) => a * b, 1);
    if (values === undefined) throw new Error(`createFloor: no weight "${name}"`);
    const tooLong = name !== "transformer.wpe.weight" && values.length !== size;
    if (tooLong || values.length < size) {
      throw new Error(
        `createFloor: "${name}" has ${values.length} values, wanted ${dims.join(" x ")}`,
      );
    }
    if (this.#initializers.some((tensor) => tensor.name === name)) return name;
    const length = size * Float32Array.BYTES_PER_ELEMENT;
    this.files.push({ path: name, data: new Uint8Array(values.buffer, values.byteOffset, length) });
    const external = { location: name, offset: 0, length };
    this.#initializers.push({ name, dtype: "float32", dims, external });
    return name;
  }

  #add(op: string, inputs: readonly string[], attributes: OnnxAttributes = {}): string {
    const output = `value.${this.#nodes.length}`;
    this.#node(op, inputs, [output], attributes);
    return output;
  }

  #node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxAttributes,
  ): void {
    this.#nodes.push({ op, inputs, outputs, attributes });
  }
}
