import type { Checkpoint } from "../checkpoint.ts";
import type { DequantizedTensor, QuantizationMethod } from "./dequantized-tensor.ts";
import { misfit, stems } from "./read-floats.ts";
import { FLOAT4, POWERS } from "./small-floats.ts";

/** Numbers that share one power of two. */
const BLOCK = 32;

/** One expert's rows, [rows, columns] in blocks, as the columns of a matrix [columns, rows]. */
function turned(blocks: Uint8Array, scales: Uint8Array, rows: number): Float32Array {
  const columns = (scales.length / rows) * BLOCK;
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < blocks.length; i++) {
    const byte = blocks[i] ?? 0;
    const scale = POWERS[scales[((2 * i) / BLOCK) | 0] ?? 0] ?? NaN;
    const at = 2 * i;
    const row = Math.floor(at / columns);
    const column = at - row * columns;
    values[column * rows + row] = (FLOAT4[byte & 15] ?? NaN) * scale;
    values[(column + 1) * rows + row] = (FLOAT4[byte >> 4] ?? NaN) * scale;
  }
  return values;
}

async function* experts(
  checkpoint: Checkpoint,
  stem: string,
  [count, rows, groups]: readonly [number, number, number],
): AsyncGenerator<Float32Array> {
  const size = rows * groups;
  for (let i = 0; i < count; i++) {
    const blocks = await checkpoint.bytes(`${stem}_blocks`, (i * size * BLOCK) / 2, ((i + 1) * size * BLOCK) / 2); // prettier-ignore
    const scales = await checkpoint.bytes(`${stem}_scales`, i * size, (i + 1) * size);
    yield turned(blocks, scales, rows);
  }
}

function expertMatrices(checkpoint: Checkpoint, stem: string): DequantizedTensor {
  const [blocks, scales] = [`${stem}_blocks`, `${stem}_scales`];
  if (!checkpoint.has(scales)) misfit(checkpoint, stem, `${scales} is not there`);
  const { shape } = checkpoint.info(blocks);
  const [count = 0, rows = 0, groups = 0, bytes] = shape;
  const factors = checkpoint.info(scales);
  const bytewise = [checkpoint.info(blocks), factors].every(
    ({ elementType }) => elementType === "U8",
  );
  const fits = shape.length === 4 && bytes === BLOCK / 2 && bytewise;
  if (!fits || String(factors.shape) !== String([count, rows, groups])) {
    misfit(
      checkpoint,
      stem,
      `${blocks} is [${shape.join(", ")}] and ${scales} [${factors.shape.join(", ")}]; bytes of ` +
        "shapes [experts, rows, blocks, 16] and [experts, rows, blocks] were expected",
    );
  }
  return {
    name: stem,
    shape: [count, groups * BLOCK, rows],
    parts: [blocks, scales],
    values: () => experts(checkpoint, stem, [count, rows, groups]),
  };
}

/**
 * MXFP4, as gpt-oss is published: blocks of 32 4-bit floats with a power of two each. The first of two
 * is the lower half of a byte; experts lie as [out, in] and become [in, out].
 */
export const mxfp4: QuantizationMethod = {
  find: async (checkpoint) =>
    stems(checkpoint, "_blocks").map((stem) => expertMatrices(checkpoint, stem)),
};
