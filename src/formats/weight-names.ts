import { CheckpointError } from "./checkpoint-error.ts";
import type { FileSource } from "../files/file-source.ts";

/** Names of the files of a way in which weights are kept. */
export interface WeightNames {
  readonly single: string;
  readonly index: string;
}

/** In the order of preference. */
const FORMATS: readonly (readonly [stem: string, extension: string])[] = [
  ["model", "safetensors"],
  ["pytorch_model", "bin"],
];

/**
 * Names of the files that weights may be in, in the order of preference.
 * @param variant a part of the names, such as the "fp16" of `model.fp16.safetensors`.
 * @throws CheckpointError for one that is no part of a name.
 */
export function weightNames(variant?: string): WeightNames[] {
  if (variant !== undefined && !/^[\w-]+$/.test(variant)) {
    throw new CheckpointError(
      `variant ${JSON.stringify(variant)} is no part of a file's name; of model.fp16.safetensors ` +
        'it is "fp16"',
    );
  }
  const part = variant === undefined ? "" : `${variant}.`;
  return FORMATS.map(([stem, extension]) => ({
    single: `${stem}.${part}${extension}`,
    index: `${stem}.${extension}.index.${part}json`,
  }));
}

const EXPORT = "load the model with transformers and write it with save_pretrained";
const TORCH =
  "read it with loadTorchFile, and give its state dict to model.loadStateDict, or call it " +
  "pytorch_model.bin";

/** Files of weights under other names, and what to do about each. */
const OTHERS: readonly (readonly [name: string, advice: string])[] = [
  ...["fp16", "bf16"].flatMap((variant) =>
    weightNames(variant).flatMap(({ single, index }) =>
      [single, index].map((name): [string, string] => [
        name,
        `pass { variant: ${JSON.stringify(variant)} }`,
      ]),
    ),
  ),
  ["adapter_model.safetensors", "it is an adapter of PEFT and no whole model; merge it first"],
  ["adapter_model.bin", "it is an adapter of PEFT and no whole model; merge it first"],
  ["consolidated.safetensors", "it has the names of its authors' own code; convert it first"],
  ["consolidated.00.pth", "it has the names of its authors' own code; convert it first"],
  ["tf_model.h5", `it is of TensorFlow, which is not read; ${EXPORT} (from_tf=True)`],
  ["model.ckpt.index", `it is of TensorFlow, which is not read; ${EXPORT} (from_tf=True)`],
  ["flax_model.msgpack", `it is of Flax, which is not read; ${EXPORT} (from_flax=True)`],
  ["rust_model.ot", `it is of rust-bert, which is not read; ${EXPORT}`],
  ["model.gguf", `it is of llama.cpp, which is not read; ${EXPORT} (gguf_file="model.gguf")`],
  ["model.onnx", "it is a program of ONNX, whose weights have other names"],
  ["onnx/model.onnx", "it is a program of ONNX, whose weights have other names"],
  ["diffusion_pytorch_model.safetensors", "it is of diffusers and no model of a family known here"],
  ["pytorch_model.pt", TORCH],
  ["pytorch_model.pth", TORCH],
  ["model.pt", TORCH],
  ["model.pth", TORCH],
  ["model.bin", TORCH],
];

/** What of weights there is instead, as the end of a sentence; empty where nothing is found. */
export async function otherWeights(files: FileSource): Promise<string> {
  const there = await Promise.all(OTHERS.map(([name]) => files.exists(name).catch(() => false)));
  const [name, advice] = OTHERS.find((_, i) => there[i]) ?? [];
  return name === undefined ? "" : `; ${name} is: ${advice}`;
}
