import { numel } from "../../tensor/shape.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { DerivedCheckpoint } from "../derived-checkpoint.ts";
import type { RawData, RawTensor } from "../raw-tensor.ts";
import type { TensorInfo } from "../tensor-file.ts";
import { bitsandbytes } from "./bitsandbytes.ts";
import { compressedTensors } from "./compressed-tensors.ts";
import type { DequantizedTensor, QuantizationMethod } from "./dequantized-tensor.ts";
import { fbgemmFp8, fp8 } from "./fp8.ts";
import { awq, gptq } from "./gptq.ts";
import { mxfp4 } from "./mxfp4.ts";

/** Methods by `quant_method` of a `quantization_config`. */
const METHODS: ReadonlyMap<unknown, QuantizationMethod> = new Map(
  Object.entries({
    awq,
    bitsandbytes,
    "compressed-tensors": compressedTensors,
    fbgemm_fp8: fbgemmFp8,
    fp8,
    gptq,
    mxfp4,
  }),
);

/** A checkpoint of quantized weights, read as if they were floats. */
class DequantizedCheckpoint extends DerivedCheckpoint {
  readonly #made: ReadonlyMap<string, DequantizedTensor>;

  constructor(inner: Checkpoint, made: readonly DequantizedTensor[]) {
    const used = new Set(made.flatMap(({ name, parts }) => [name, ...parts]));
    super(inner, [...inner.names.filter((name) => !used.has(name)), ...made.map((m) => m.name)]);
    this.#made = new Map(made.map((tensor) => [tensor.name, tensor]));
  }

  override info(name: string): TensorInfo {
    const made = this.#made.get(name);
    if (made === undefined) return super.info(name);
    const { shape, asLinear = false } = made;
    return { name, elementType: "F32", dtype: "float32", shape, asLinear };
  }

  override async read(name: string): Promise<RawTensor> {
    const made = this.#made.get(name);
    if (made === undefined) return super.read(name);
    const { shape } = made;
    const data = new Float32Array(numel(shape));
    let at = 0;
    for await (const values of made.values()) {
      data.set(values, at);
      at += values.length;
    }
    return { dtype: "float32", shape, data };
  }

  override parts(name: string, buffer: Uint8Array): AsyncIterable<RawData> {
    return this.#made.get(name)?.values() ?? super.parts(name, buffer);
  }
}

/**
 * A checkpoint whose weights are quantized, as one of float32 weights: each is dequantized when it
 * is read, with the numbers that the method's own library dequantizes it to. Activations are not
 * quantized.
 *
 * @param settings `quantization_config` of the `config.json`, under its own names.
 * @throws CheckpointError naming a method or a format of one that is not read, and tensors that do
 * not fit each other.
 */
export async function dequantize(
  checkpoint: Checkpoint,
  settings: Readonly<Record<string, unknown>>,
): Promise<Checkpoint> {
  const named = settings["quant_method"];
  // Before methods had names, bitsandbytes was the only one.
  const bits = settings["load_in_8bit"] === true || settings["load_in_4bit"] === true;
  const name = named === undefined && bits ? "bitsandbytes" : named;
  const method = METHODS.get(name);
  const where = checkpoint.location;
  if (method === undefined) {
    throw new CheckpointError(
      `${where}: the weights are quantized by ${JSON.stringify(name ?? settings)}, which is not ` +
        `read; read are ${[...METHODS.keys()].join(", ")}, and weights that are not quantized`,
    );
  }
  method.check?.(settings, where);
  const made = await method.find(checkpoint, settings);
  return new DequantizedCheckpoint(checkpoint, made);
}
