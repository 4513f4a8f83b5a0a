import { numel } from "../../tensor/shape.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import {
  type DequantizedTensor,
  type QuantizationMethod,
  rowRanges,
} from "./dequantized-tensor.ts";
import { float8Weight } from "./fp8.ts";
import { type Packing, perWord, unpack, wordsOf } from "./packed-integers.ts";
import { misfit, present, readFloats, roundingOf, roundTo, stems } from "./read-floats.ts";
import { FLOAT4 } from "./small-floats.ts";

type Settings = Readonly<Record<string, unknown>>;

/** Names that only go with a weight: what activations would be quantized by. */
const ACTIVATIONS = ["input_scale", "input_zero_point", "input_global_scale"] as const;

/** Scales of whole numbers: rows, and groups of columns. */
interface Scales {
  readonly values: Float32Array;
  readonly groups: number;
  /** The group of a column. */
  readonly groupOf: (column: number) => number;
}

async function scalesOf(
  checkpoint: Checkpoint,
  stem: string,
  [rows, columns]: readonly [number, number],
): Promise<Scales> {
  const name = `${stem}.weight_scale`;
  const { shape } = checkpoint.info(name);
  const count = numel(shape);
  const values = await readFloats(checkpoint, name);
  const groups = count === 1 ? 1 : count / rows;
  if (!Number.isInteger(groups) || columns % groups !== 0) {
    misfit(checkpoint, `${stem}.weight`, `${count} scales do not go with [${rows}, ${columns}]`);
  }
  const order = `${stem}.weight_g_idx`;
  const width = columns / groups;
  const given = checkpoint.has(order) ? await readFloats(checkpoint, order) : undefined;
  const groupOf = (column: number): number => given?.[column] ?? Math.floor(column / width);
  if (count > 1) return { values, groups, groupOf };
  return { values: new Float32Array(rows).fill(values[0] ?? NaN), groups, groupOf };
}

/** (number - zero) * scale, each rounded to the scales' type. */
async function* integers(
  checkpoint: Checkpoint,
  stem: string,
  {
    shape: [rows, columns],
    at,
    zeroAt,
  }: {
    readonly shape: readonly [number, number];
    readonly at: (row: number, column: number) => number;
    readonly zeroAt: (row: number, group: number) => number;
  },
): AsyncGenerator<Float32Array> {
  const rounding = roundingOf(checkpoint, `${stem}.weight_scale`);
  const { values: scales, groups, groupOf } = await scalesOf(checkpoint, stem, [rows, columns]);
  for (const [from, to] of rowRanges(rows, columns)) {
    const values = new Float32Array((to - from) * columns);
    for (let row = from; row < to; row++) {
      for (let column = 0; column < columns; column++) {
        const group = groupOf(column);
        const number = at(row, column) - zeroAt(row, group);
        values[(row - from) * columns + column] = number * (scales[row * groups + group] ?? NaN);
      }
    }
    yield roundTo(rounding, values);
  }
}

/** Bits of a whole number, from the first group of the settings. */
function bitsOf(settings: Settings): number {
  const groups = Object.values(
    (settings["config_groups"] ?? {}) as Readonly<Record<string, Settings>>,
  );
  const bits = groups.map(({ weights }) => (weights as Settings | null)?.["num_bits"]);
  const [first] = bits;
  if (typeof first === "number" && bits.every((b) => b === first) && first >= 1 && first <= 8) {
    return first;
  }
  throw new CheckpointError(
    `quantization_config: config_groups tell of weights of ${JSON.stringify(bits)} bits; one number ` +
      "from 1 to 8 is read",
  );
}

async function packedWeight(
  checkpoint: Checkpoint,
  stem: string,
  settings: Settings,
): Promise<DequantizedTensor> {
  const bits = bitsOf(settings);
  const [packed, shapeName] = [`${stem}.weight_packed`, `${stem}.weight_shape`];
  const [zeros, order] = [`${stem}.weight_zero_point`, `${stem}.weight_g_idx`];
  const needed = [shapeName, `${stem}.weight_scale`].filter((name) => !checkpoint.has(name));
  if (needed.length > 0) misfit(checkpoint, `${stem}.weight`, `${needed.join(", ")} is not there`);
  const [rows = 0, columns = 0] = await readFloats(checkpoint, shapeName);
  const { shape, elementType } = checkpoint.info(packed);
  const words = Math.ceil(columns / perWord(bits));
  if (elementType !== "I32" || String(shape) !== String([rows, words])) {
    misfit(
      checkpoint,
      `${stem}.weight`,
      `${packed} is ${elementType} [${shape.join(", ")}], which does not hold [${rows}, ${columns}] ` +
        `numbers of ${bits} bits`,
    );
  }
  const middle = 2 ** (bits - 1);
  return {
    name: `${stem}.weight`,
    shape: [rows, columns],
    parts: [packed, shapeName, `${stem}.weight_scale`, ...present(checkpoint, [zeros, order, ...ACTIVATIONS.map((n) => `${stem}.${n}`)])], // prettier-ignore
    async *values() {
      const numbers: Packing = { bits, words: wordsOf(await checkpoint.bytes(packed)) };
      const zeroPacking = checkpoint.has(zeros)
        ? { bits, words: wordsOf(await checkpoint.bytes(zeros)) }
        : undefined;
      const groups = checkpoint.has(zeros) ? (checkpoint.info(zeros).shape[1] ?? 1) : 1;
      yield* integers(checkpoint, stem, {
        shape: [rows, columns],
        at: (row, column) =>
          unpack(numbers, { first: row * words, stride: 1, at: column }) - middle,
        // Zero points are packed down the rows.
        zeroAt: (row, group) =>
          zeroPacking === undefined
            ? 0
            : unpack(zeroPacking, { first: group, stride: groups, at: row }) - middle,
      });
    },
  };
}

async function byteWeight(checkpoint: Checkpoint, stem: string): Promise<DequantizedTensor> {
  const [weight, zeros] = [`${stem}.weight`, `${stem}.weight_zero_point`];
  const { shape } = checkpoint.info(weight);
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2) misfit(checkpoint, weight, `it is [${shape.join(", ")}], not a matrix`);
  const also = [zeros, ...ACTIVATIONS.map((name) => `${stem}.${name}`)];
  return {
    name: weight,
    shape,
    parts: [weight, `${stem}.weight_scale`, ...present(checkpoint, also)],
    async *values() {
      const bytes = await checkpoint.bytes(weight);
      const zero = checkpoint.has(zeros) ? await readFloats(checkpoint, zeros) : undefined;
      const groups = (zero?.length ?? rows) / rows;
      yield* integers(checkpoint, stem, {
        shape: [rows, columns],
        at: (row, column) => ((bytes[row * columns + column] ?? 0) << 24) >> 24,
        zeroAt: (row, group) => (zero?.length === 1 ? zero[0] : zero?.[row * groups + group]) ?? 0,
      });
    },
  };
}

/** NVFP4: 4-bit floats, an 8-bit scale for each 16 of a row, and one for all. */
function nvfp4Weight(checkpoint: Checkpoint, stem: string): DequantizedTensor {
  const packed = `${stem}.weight_packed`;
  const names = [`${stem}.weight_scale`, `${stem}.weight_global_scale`];
  const missing = names.filter((name) => !checkpoint.has(name));
  if (missing.length > 0) {
    misfit(checkpoint, `${stem}.weight`, `${missing.join(", ")} is not there`);
  }
  const [scale = "", global = ""] = names;
  const [rows = 0, half = 0] = checkpoint.info(packed).shape;
  const columns = 2 * half;
  const groups = columns / 16;
  if (String(checkpoint.info(scale).shape) !== String([rows, groups])) {
    misfit(checkpoint, `${stem}.weight`, `its scales are not [${rows}, ${groups}]`);
  }
  return {
    name: `${stem}.weight`,
    shape: [rows, columns],
    parts: [
      packed,
      ...names,
      ...present(
        checkpoint,
        ACTIVATIONS.map((n) => `${stem}.${n}`),
      ),
    ],
    async *values() {
      const [all = NaN] = await readFloats(checkpoint, global);
      const scales = (await readFloats(checkpoint, scale)).map((s) => s / all);
      for (const [from, to] of rowRanges(rows, columns)) {
        const bytes = await checkpoint.bytes(packed, from * half, to * half);
        yield Float32Array.from({ length: bytes.length * 2 }, (_, i) => {
          const byte = bytes[i >> 1] ?? 0;
          const value = FLOAT4[(i & 1) === 0 ? byte & 15 : byte >> 4] ?? NaN;
          return value * (scales[from * groups + Math.floor(i / 16)] ?? NaN);
        });
      }
    },
  };
}

function scaledWeight(checkpoint: Checkpoint, stem: string): Promise<DequantizedTensor> {
  const [weight, scale] = [`${stem}.weight`, `${stem}.weight_scale`];
  if (!checkpoint.has(weight)) misfit(checkpoint, weight, `it is not there, only ${scale}`);
  if (checkpoint.info(weight).elementType === "I8") return byteWeight(checkpoint, stem);
  const also = [`${stem}.weight_zero_point`, ...ACTIVATIONS.map((name) => `${stem}.${name}`)];
  const rounding = roundingOf(checkpoint, scale);
  return Promise.resolve(float8Weight(checkpoint, { weight, scale, rounding }, also));
}

const FORMATS = new Set<unknown>([
  "dense",
  "pack-quantized",
  "int-quantized",
  "float-quantized",
  "naive-quantized",
  "nvfp4-pack-quantized",
]);

/** compressed-tensors, as vLLM's models are published: whole numbers and floats of 4 and 8 bits. */
export const compressedTensors: QuantizationMethod = {
  check: ({ format, sparsity_config: sparsity }, where) => {
    const sparse = (sparsity as Settings | null | undefined)?.["format"] ?? "dense";
    if (FORMATS.has(format) && sparse === "dense") return;
    throw new CheckpointError(
      `${where}: the weights are kept as compressed-tensors of format ` +
        `${JSON.stringify(sparse === "dense" ? format : sparse)}, which is not read; these are: ` +
        [...FORMATS].join(", "),
    );
  },
  find: async (checkpoint, settings) => {
    const packed = stems(checkpoint, ".weight_packed");
    const isPacked = new Set(packed);
    const scaled = stems(checkpoint, ".weight_scale").filter((stem) => !isPacked.has(stem));
    const nvfp4 = settings["format"] === "nvfp4-pack-quantized";
    return Promise.all([
      ...packed.map((stem) =>
        nvfp4
          ? Promise.resolve(nvfp4Weight(checkpoint, stem))
          : packedWeight(checkpoint, stem, settings),
      ),
      ...scaled.map((stem) => scaledWeight(checkpoint, stem)),
    ]);
  },
};
