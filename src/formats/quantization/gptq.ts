import type { Checkpoint } from "../checkpoint.ts";
import { CheckpointError } from "../checkpoint-error.ts";
import {
  type DequantizedTensor,
  type QuantizationMethod,
  rowRanges,
} from "./dequantized-tensor.ts";
import { perWord, unpack, wordsOf } from "./packed-integers.ts";
import { misfit, present, readFloats, roundTo, stems } from "./read-floats.ts";

type Settings = Readonly<Record<string, unknown>>;

/** How the numbers of a weight [out, in] lie in its tensors. */
interface Layout {
  readonly bits: number;
  /** Words of `qweight`: packed along `in`, [in / each, out], or along `out`, [in, out / each]. */
  readonly along: "in" | "out";
  /** Where in its word the number of an output lies that is packed along `out`. */
  readonly place: (output: number) => number;
  /** What is added to the zero points in the file. */
  readonly zeroOffset: number;
}

interface Sizes {
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
}

function sizesOf(checkpoint: Checkpoint, stem: string, { bits, along }: Layout): Sizes {
  const shapeOf = (end: string): readonly number[] =>
    checkpoint.has(`${stem}.${end}`)
      ? checkpoint.info(`${stem}.${end}`).shape
      : misfit(checkpoint, `${stem}.weight`, `${stem}.${end} is not there`);
  const [height = 0, width = 0] = shapeOf("qweight");
  const [groups = 0, outputs = 0] = shapeOf("scales");
  const each = perWord(bits);
  const inputs = along === "in" ? height * each : height;
  const fits =
    32 % bits === 0 &&
    outputs === (along === "in" ? width : width * each) &&
    String(shapeOf("qzeros")) === String([groups, outputs / each]) &&
    inputs % groups === 0;
  if (fits) return { inputs, outputs, groups };
  return misfit(
    checkpoint,
    `${stem}.weight`,
    `qweight [${height}, ${width}], qzeros [${shapeOf("qzeros").join(", ")}] and scales [${groups}, ` +
      `${outputs}] do not go together with ${bits} bits`,
  );
}

async function* weights(
  checkpoint: Checkpoint,
  stem: string,
  layout: Layout,
): AsyncGenerator<Float32Array> {
  const { bits, along, place, zeroOffset } = layout;
  const { inputs, outputs, groups } = sizesOf(checkpoint, stem, layout);
  const numbers = { bits, words: wordsOf(await checkpoint.bytes(`${stem}.qweight`)) };
  const zeros = { bits, words: wordsOf(await checkpoint.bytes(`${stem}.qzeros`)) };
  const scales = await readFloats(checkpoint, `${stem}.scales`);
  const order = `${stem}.g_idx`;
  const groupOf = checkpoint.has(order) ? await readFloats(checkpoint, order) : undefined;
  const wide = outputs / perWord(bits);
  for (const [from, to] of rowRanges(outputs, inputs)) {
    const values = new Float32Array((to - from) * inputs);
    for (let output = from; output < to; output++) {
      const at = place(output);
      for (let input = 0; input < inputs; input++) {
        const group = groupOf?.[input] ?? Math.floor(input / (inputs / groups));
        const number =
          along === "in"
            ? unpack(numbers, { first: output, stride: outputs, at: input })
            : unpack(numbers, { first: input * wide, stride: 1, at });
        const zero = unpack(zeros, { first: group * wide, stride: 1, at }) + zeroOffset;
        values[(output - from) * inputs + input] =
          (number - zero) * (scales[group * outputs + output] ?? NaN);
      }
    }
    yield roundTo("float16", values);
  }
}

function weightOf(checkpoint: Checkpoint, stem: string, layout: Layout): DequantizedTensor {
  const { inputs, outputs } = sizesOf(checkpoint, stem, layout);
  const names = ["qweight", "qzeros", "scales"].map((end) => `${stem}.${end}`);
  return {
    name: `${stem}.weight`,
    shape: [outputs, inputs],
    parts: [...names, ...present(checkpoint, [`${stem}.g_idx`])],
    asLinear: true,
    values: () => weights(checkpoint, stem, layout),
  };
}

function bitsOf(settings: Settings, where: string, known: readonly number[]): number {
  const bits = settings["bits"] ?? settings["w_bit"];
  if (typeof bits === "number" && known.includes(bits)) return bits;
  throw new CheckpointError(
    `${where}: the weights have ${JSON.stringify(bits)} bits; read are those of ${known.join(", ")}`,
  );
}

const GPTQ_BITS = [2, 4, 8] as const;

/** GPTQ, as AutoGPTQ and GPTQModel write it: words along the inputs, a scale for each group of them. */
export const gptq: QuantizationMethod = {
  check: (settings, where) => {
    bitsOf(settings, where, GPTQ_BITS);
  },
  find: async (checkpoint, settings) => {
    const bits = bitsOf(settings, checkpoint.location, GPTQ_BITS);
    // The first format keeps zero points less one, which wraps around.
    const zeroOffset = settings["checkpoint_format"] === "gptq_v2" ? 0 : 1;
    const layout: Layout = { bits, along: "in", place: (output) => output, zeroOffset };
    return stems(checkpoint, ".qweight").map((stem) => weightOf(checkpoint, stem, layout));
  },
};

/** Where AWQ puts each of eight numbers in a word, which suits its kernels. */
const AWQ_ORDER = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** AWQ, as AutoAWQ writes it for its GEMM kernels: words along the outputs. */
export const awq: QuantizationMethod = {
  check: (settings, where) => {
    bitsOf(settings, where, [4]);
    const { version = "gemm" } = settings;
    const gemm = typeof version === "string" && version.toLowerCase() === "gemm";
    if (gemm && settings["zero_point"] !== false) return;
    throw new CheckpointError(
      `${where}: the weights are kept by AWQ for ${JSON.stringify(version)} kernels` +
        `${settings["zero_point"] === false ? " without zero points" : ""}; those for "gemm" with ` +
        "zero points are read",
    );
  },
  find: async (checkpoint) => {
    const place = (output: number): number => output - (output % 8) + (AWQ_ORDER[output % 8] ?? 0);
    const layout: Layout = { bits: 4, along: "out", place, zeroOffset: 0 };
    return stems(checkpoint, ".qweight").map((stem) => weightOf(checkpoint, stem, layout));
  },
};
