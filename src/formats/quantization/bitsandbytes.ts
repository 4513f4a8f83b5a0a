import { numel } from "../../tensor/shape.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { parseJson } from "../../files/parse-json.ts";
import {
  type DequantizedTensor,
  type QuantizationMethod,
  rowRanges,
} from "./dequantized-tensor.ts";
import { misfit, present, readFloats, type Rounding, roundTo, stems } from "./read-floats.ts";

/** What bitsandbytes says of a weight of 4-bit codes. */
interface FourBitState {
  readonly shape: readonly number[];
  /** Numbers that share a largest value. */
  readonly blocksize: number;
  readonly rounding: Rounding;
  /** How the largest values are themselves quantized, if they are. */
  readonly nested?: { readonly blocksize: number; readonly offset: number } | undefined;
}

const ROUNDINGS: ReadonlySet<unknown> = new Set<Rounding>(["float16", "bfloat16", "float32"]);

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

async function readState(
  checkpoint: Checkpoint,
  weight: string,
  name: string,
): Promise<FourBitState> {
  const text = new TextDecoder().decode(await checkpoint.bytes(name));
  const state = parseJson(text, `${checkpoint.location}: ${name}`) as Readonly<
    Record<string, unknown>
  >;
  const { shape, blocksize, dtype, nested_blocksize: inner, nested_offset: offset } = state;
  const matrix = Array.isArray(shape) && shape.length > 0 && shape.every(isCount);
  const nested = inner === undefined || inner === null ? undefined : { blocksize: inner, offset };
  const fits = nested === undefined || (isCount(nested.blocksize) && typeof offset === "number");
  if (!matrix || !isCount(blocksize) || !ROUNDINGS.has(dtype) || !fits) {
    misfit(checkpoint, weight, `${name} does not tell its shape, block size and type`);
  }
  return {
    shape,
    blocksize,
    rounding: dtype as Rounding,
    nested: nested as FourBitState["nested"],
  };
}

async function largestValues(
  checkpoint: Checkpoint,
  weight: string,
  { nested }: FourBitState,
): Promise<Float32Array> {
  const absmax = await readFloats(checkpoint, `${weight}.absmax`);
  if (nested === undefined) return absmax;
  const outer = await readFloats(checkpoint, `${weight}.nested_absmax`);
  const code = await readFloats(checkpoint, `${weight}.nested_quant_map`);
  return absmax.map(
    (byte, i) =>
      Math.fround((code[byte] ?? NaN) * (outer[Math.floor(i / nested.blocksize)] ?? NaN)) +
      nested.offset,
  );
}

async function* fourBits(
  checkpoint: Checkpoint,
  weight: string,
  state: FourBitState,
): AsyncGenerator<Float32Array> {
  const [rows = 1, ...rest] = state.shape;
  const columns = numel(rest);
  const code = await readFloats(checkpoint, `${weight}.quant_map`);
  const absmax = await largestValues(checkpoint, weight, state);
  const bytes = await checkpoint.bytes(weight);
  for (const [from, to] of rowRanges(rows, columns)) {
    const values = new Float32Array((to - from) * columns);
    for (let i = 0; i < values.length; i++) {
      const at = from * columns + i;
      const byte = bytes[at >> 1] ?? 0;
      // The first of two codes is the upper half of a byte.
      const index = (at & 1) === 0 ? byte >> 4 : byte & 15;
      values[i] = (code[index] ?? NaN) * (absmax[Math.floor(at / state.blocksize)] ?? NaN);
    }
    yield roundTo(state.rounding, values);
  }
}

async function fourBitWeight(
  checkpoint: Checkpoint,
  weight: string,
  stateName: string,
): Promise<DequantizedTensor> {
  const state = await readState(checkpoint, weight, stateName);
  const needed = ["absmax", "quant_map"];
  if (state.nested !== undefined) needed.push("nested_absmax", "nested_quant_map");
  const missing = needed.filter((end) => !checkpoint.has(`${weight}.${end}`));
  if (missing.length > 0) misfit(checkpoint, weight, `${missing.join(", ")} of it are not there`);
  const count = numel(state.shape);
  const kept = checkpoint.byteLength(weight);
  const blocks = numel(checkpoint.info(`${weight}.absmax`).shape);
  if (kept !== Math.ceil(count / 2) || blocks !== Math.ceil(count / state.blocksize)) {
    misfit(
      checkpoint,
      weight,
      `${kept} bytes and ${blocks} blocks do not hold the [${state.shape.join(", ")}] numbers that ` +
        `${stateName} tells of`,
    );
  }
  return {
    name: weight,
    shape: state.shape,
    parts: [weight, stateName, ...needed.map((end) => `${weight}.${end}`)],
    asLinear: true,
    values: () => fourBits(checkpoint, weight, state),
  };
}

/** 1 / 127, as bitsandbytes writes it, in float32. */
const STEP = Math.fround(7.874015718698502e-3);

async function* eightBits(checkpoint: Checkpoint, stem: string): AsyncGenerator<Float32Array> {
  const weight = `${stem}.weight`;
  const [rows = 0, columns = 0] = checkpoint.info(weight).shape;
  const largest = await readFloats(checkpoint, `${stem}.SCB`);
  for (const [from, to] of rowRanges(rows, columns)) {
    const bytes = await checkpoint.bytes(weight, from * columns, to * columns);
    const values = Float32Array.from(bytes, (byte, i) => {
      const row = from + Math.floor(i / columns);
      return Math.fround(((byte << 24) >> 24) * (largest[row] ?? NaN)) * STEP;
    });
    yield values;
  }
}

async function eightBitWeight(checkpoint: Checkpoint, stem: string): Promise<DequantizedTensor> {
  const [weight, scales, format] = [`${stem}.weight`, `${stem}.SCB`, `${stem}.weight_format`];
  if (!checkpoint.has(weight)) misfit(checkpoint, weight, `it is not there, only ${scales}`);
  const { shape, elementType } = checkpoint.info(weight);
  const rows = numel(checkpoint.info(scales).shape);
  if (elementType !== "I8" || shape.length !== 2 || rows !== shape[0]) {
    misfit(checkpoint, weight, `it is ${elementType} [${shape.join(", ")}] with ${rows} scales`);
  }
  if (checkpoint.has(format) && (await readFloats(checkpoint, format))[0] !== 0) {
    misfit(checkpoint, weight, `${format} is not 0, row by row: it is laid out for a GPU`);
  }
  return {
    name: weight,
    shape,
    parts: [weight, scales, ...present(checkpoint, [format])],
    asLinear: true,
    values: () => eightBits(checkpoint, stem),
  };
}

const STATE = /^(.*)\.quant_state\.bitsandbytes__(nf4|fp4)$/;

/** bitsandbytes, with 4 bits (NF4 and FP4, also with quantized scales) and with 8. */
export const bitsandbytes: QuantizationMethod = {
  find: async (checkpoint) => {
    const states = checkpoint.names.flatMap((name) => {
      const weight = STATE.exec(name)?.[1];
      return weight === undefined ? [] : [[weight, name] as const];
    });
    const four = states.map(([weight, name]) => fourBitWeight(checkpoint, weight, name));
    const eight = stems(checkpoint, ".SCB").map((stem) => eightBitWeight(checkpoint, stem));
    return Promise.all([...four, ...eight]);
  },
};
