import type { Checkpoint } from "../checkpoint.ts";
import {
  type DequantizedTensor,
  type QuantizationMethod,
  rowRanges,
} from "./dequantized-tensor.ts";
import { misfit, present, readFloats, type Rounding, roundTo, stems } from "./read-floats.ts";
import { FLOAT8_TABLES } from "./small-floats.ts";

/** Scales of a weight: one for each block of rows and columns. */
interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/** What a weight of 8-bit floats is made of. */
interface Float8Weight {
  readonly weight: string;
  readonly scale: string;
  /** What products are rounded to. */
  readonly rounding: Rounding;
  /** Rows and columns that share a scale, if the method says so. */
  readonly blockSize?: readonly [number, number] | undefined;
}

/** Block sizes from the shapes: one scale, one a row, or a grid of them. */
function gridOf(
  checkpoint: Checkpoint,
  { weight, scale, blockSize }: Float8Weight,
): Grid & { readonly across: number } {
  const { shape } = checkpoint.info(weight);
  const scales = checkpoint.info(scale).shape;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const [down = 1, across = 1] = scales.slice(-2);
  const ones = scales.every((size) => size === 1);
  const [height, width] = ones ? [rows, columns] : (blockSize ?? [rows / down, columns / across]);
  const fits =
    shape.length === 2 &&
    scales.length <= 2 &&
    (ones || (down * height === rows && across * width === columns));
  if (fits) return { rows: height, columns: width, across: ones ? 1 : across };
  const blocks = blockSize === undefined ? "" : ` in blocks of [${blockSize.join(", ")}]`;
  return misfit(
    checkpoint,
    weight,
    `its shape [${shape.join(", ")}] does not go with scales ${scale} of [${scales.join(", ")}]${blocks}`,
  );
}

async function* scaled(checkpoint: Checkpoint, parts: Float8Weight): AsyncGenerator<Float32Array> {
  const { weight, scale, rounding } = parts;
  const { shape, elementType } = checkpoint.info(weight);
  const [rows = 0, columns = 0] = shape;
  const grid = gridOf(checkpoint, parts);
  const scales = await readFloats(checkpoint, scale);
  const table =
    FLOAT8_TABLES.get(elementType) ?? misfit(checkpoint, weight, `it is ${elementType}`);
  for (const [from, to] of rowRanges(rows, columns)) {
    const bytes = await checkpoint.bytes(weight, from * columns, to * columns);
    const values = new Float32Array(bytes.length);
    for (let row = from; row < to; row++) {
      const first = Math.floor(row / grid.rows) * grid.across;
      for (let column = 0; column < columns; column++) {
        const at = (row - from) * columns + column;
        const factor = scales[first + Math.floor(column / grid.columns)] ?? NaN;
        values[at] = (table[bytes[at] ?? 0] ?? NaN) * factor;
      }
    }
    yield roundTo(rounding, values);
  }
}

/** A weight of 8-bit floats with its scales. `also` are names that only go with it. */
export function float8Weight(
  checkpoint: Checkpoint,
  parts: Float8Weight,
  also: readonly string[],
): DequantizedTensor {
  gridOf(checkpoint, parts);
  return {
    name: parts.weight,
    shape: checkpoint.info(parts.weight).shape,
    parts: [parts.weight, parts.scale, ...present(checkpoint, also)],
    values: () => scaled(checkpoint, parts),
  };
}

function blockSizeOf(size: unknown): readonly [number, number] | undefined {
  return Array.isArray(size) && size.length === 2 ? (size as [number, number]) : undefined;
}

function findScaled(
  checkpoint: Checkpoint,
  { end, blockSize }: { end: string; blockSize?: readonly [number, number] | undefined },
): DequantizedTensor[] {
  return stems(checkpoint, `.${end}`).map((stem) => {
    const weight = `${stem}.weight`;
    if (!checkpoint.has(weight)) misfit(checkpoint, weight, "it is not there, only its scales");
    const also = ["input_scale", "activation_scale", "input_scale_ub"].map((n) => `${stem}.${n}`);
    const scale = `${stem}.${end}`;
    return float8Weight(checkpoint, { weight, scale, rounding: "float32", blockSize }, also);
  });
}

/** FP8 as DeepSeek-V3 and Qwen 3 are published: 8-bit floats, a scale for each block of a matrix. */
export const fp8: QuantizationMethod = {
  find: async (checkpoint, settings) =>
    findScaled(checkpoint, {
      end: "weight_scale_inv",
      blockSize: blockSizeOf(settings["weight_block_size"]),
    }),
};

/** FBGEMM's FP8, as Llama 3.1 405B is published: 8-bit floats, a scale for each row. */
export const fbgemmFp8: QuantizationMethod = {
  find: async (checkpoint) => findScaled(checkpoint, { end: "weight_scale" }),
};
