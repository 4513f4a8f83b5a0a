import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  AutoConfig,
  AutoTokenizer,
  encodeSafetensors,
  loadSafetensors,
  loadTorchFile,
  MemoryFiles,
  OnnxFile,
  openCheckpoint,
  type RawTensor,
} from "tsvene";
import { dictPickle, tensorPickle, torchFile } from "../../tests/cases/torch-bytes.ts";
import { onnxBytes } from "../../tests/cases/onnx-bytes.ts";
import { mutatedBytes, mutatedJson } from "./mutate.ts";
import { type Below, oneOf } from "./random.ts";

/** A reader, and files that it is given changed copies of. */
export interface Target {
  /** Of a hundred cases, how many are its. */
  readonly share: number;
  /** Makes a case, and reads it. */
  readonly run: (below: Below) => Promise<unknown>;
}

const ROOT = join(import.meta.dirname, "..", "..");
const LARGEST = 4000;

function smallFiles(folder: string): Buffer[] {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const small = paths.filter((path) => path.endsWith(".bin") && statSync(path).size < LARGEST);
  return small.map((path) => readFileSync(path));
}

function vector(...values: number[]): RawTensor {
  return { dtype: "float32", shape: [values.length], data: Float32Array.from(values) };
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

async function readAll(files: Record<string, Uint8Array>): Promise<void> {
  const checkpoint = await openCheckpoint(new MemoryFiles(files));
  for (const name of checkpoint.names) await checkpoint.read(name);
  await checkpoint.close();
}

/** All readers of files from outside. */
export function targets(): Readonly<Record<string, Target>> {
  return { ...weightTargets(), ...textTargets() };
}

/** Readers of weights. */
function weightTargets(): Readonly<Record<string, Target>> {
  const safetensors = Buffer.from(
    encodeSafetensors(new Map([["a.weight", vector(1, 2)], ["b", vector()]]), { format: "pt" }),
  ); // prettier-ignore
  const torch = smallFiles(join(ROOT, "tests/goldens/torch_files"));
  const storage = Buffer.alloc(24, 1);
  const pickle = dictPickle([
    ["w", tensorPickle({ length: 6, shape: [2, 3], stride: [1, 2] })],
    ["v", tensorPickle({ length: 6, shape: [3], offset: 1 })],
  ]);
  const onnx = Buffer.from(onnxBytes());
  return {
    safetensors: {
      share: 40,
      run: (below) => loadSafetensors(mutatedBytes(safetensors, below)),
    },
    torch: {
      share: 15,
      run: (below) => loadTorchFile(mutatedBytes(oneOf(torch, below), below)),
    },
    onnx: {
      share: 10,
      run: async (below) => {
        const file = await OnnxFile.open(mutatedBytes(onnx, below));
        const { initializers } = file.model.graph;
        for (const t of initializers) if (t.bytes !== undefined) await file.read(t);
      },
    },
    pickle: {
      share: 26,
      run: (below) =>
        readAll({ "pytorch_model.bin": torchFile(mutatedBytes(pickle, below), [storage]) }),
    },
  };
}

/** Readers of JSON: configurations and tokenizers. */
function textTargets(): Readonly<Record<string, Target>> {
  const folder = join(ROOT, "tests/goldens/models");
  const configs = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => json(join(folder, name, "config.json")));
  const mini = join(ROOT, "models/tsvene-mini");
  const tokenizer = json(join(mini, "tokenizer.json"));
  const tokenizerConfig = json(join(mini, "tokenizer_config.json"));
  return {
    config: {
      share: 9,
      run: (below) => {
        const text = JSON.stringify(mutatedJson(oneOf(configs, below), below));
        const bytes = below(4) === 0 ? mutatedBytes(Buffer.from(text), below) : Buffer.from(text);
        return AutoConfig.fromPretrained(new MemoryFiles({ "config.json": bytes }));
      },
    },
    tokenizer: {
      share: 0.05,
      run: async (below) => {
        const files = new MemoryFiles({
          "tokenizer.json": JSON.stringify(mutatedJson(tokenizer, below)),
          "tokenizer_config.json": JSON.stringify(mutatedJson(tokenizerConfig, below)),
        });
        const made = await AutoTokenizer.fromPretrained(files);
        return made.decode(made.encode("Hello there, it's 1234!"));
      },
    },
  };
}
