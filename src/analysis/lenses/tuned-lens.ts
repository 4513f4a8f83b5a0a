import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { HUB_OPTIONS, type HubOptions } from "../../files/hub-options.ts";
import { LocalFiles } from "../../files/local-files.ts";
import { requireNode } from "../../files/node.ts";
import { type FilesName, openFiles } from "../../files/open-files.ts";
import { writeTogether } from "../../files/write-together.ts";
import { torchContent } from "../../formats/torch/save-torch-file.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { Module } from "../../nn/module.ts";
import { ModuleList } from "../../nn/module-list.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { readTorch, type Tensors } from "../data/read-torch.ts";

/** What a {@link TunedLens} is made for. */
export interface TunedLensOptions {
  /** Width of the residual stream. */
  readonly width: number;
  /** Number of layers. */
  readonly layers: number;
  /** Whether translators add a vector. @default true */
  readonly bias?: boolean;
  /** The model that it is for, which files keep. @default not said */
  readonly baseModel?: string;
}

/** Which files a lens is read from. */
export interface TunedLensFilesOptions extends HubOptions {
  /** Where they are in the place. @default the place itself */
  readonly folder?: string;
}

/** `config.json` of the library tuned-lens. */
interface LensConfig {
  readonly base_model_name_or_path: string;
  readonly d_model: number;
  readonly num_hidden_layers: number;
  readonly bias: boolean;
  readonly base_model_revision: null;
  readonly unembed_hash: null;
  readonly lens_type: "linear_tuned_lens";
}

const OP = "TunedLens";
const [CONFIG, PARAMS] = ["config.json", "params.pt"];
const OPTIONS: OptionNames<TunedLensOptions> = {
  width: true,
  layers: true,
  bias: true,
  baseModel: true,
};
const FILES: OptionNames<TunedLensFilesOptions> = { ...HUB_OPTIONS, folder: true };

/**
 * A translator for the state that enters each layer: h + A h + b, which is then read as the last state is
 * (Belrose and others, 2023). It begins as the logit lens, with A and b of zeros; `trainTunedLens` trains it.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, tunedLens, TunedLens } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const lens = new TunedLens({ width: 112, layers: 5 });
 * console.log(String(await tunedLens(model, lens, "The capital of Italy is", { tokenizer })));
 * ```
 */
export class TunedLens extends Module {
  /** Width of the residual stream. */
  readonly width: number;
  /** The model that it is for, where that is known. */
  readonly baseModel: string;
  /** One for the state that enters each layer; what leaves the last one needs none. */
  readonly translators: ModuleList<Linear>;

  /** @throws TsveneError for sizes that are none. */
  constructor(options: TunedLensOptions) {
    super();
    requireKnownOptions(OP, options, OPTIONS);
    const { width, layers, bias = true, baseModel = "" } = options;
    for (const [name, size] of Object.entries({ width, layers })) {
      if (!isCount(size) || size === 0) {
        fail(OP, `${name} must be a whole number of 1 or more, got ${shown(size)}`);
      }
    }
    this.width = width;
    this.baseModel = baseModel;
    this.translators = new ModuleList(range(layers).map(() => translator(width, bias)));
  }

  /** Translates the state that enters a layer, [..., width]. */
  override forward(state: Tensor, layer: number): Tensor {
    return state.add(this.translators.at(layer).forward(state));
  }

  /**
   * Reads a lens of the library tuned-lens: `config.json` and `params.pt`.
   *
   * @param name - A directory, an address, or a repository of the Hub.
   * @throws TsveneError for files of something else, and ModelError for parameters that do not fit.
   */
  static async fromPretrained(
    name: FilesName,
    options: TunedLensFilesOptions = {},
  ): Promise<TunedLens> {
    const op = `${OP}.fromPretrained`;
    requireKnownOptions(op, options, FILES);
    const { folder, ...hub } = options;
    const files = await openFiles(name, hub);
    const at = (file: string): string => (folder === undefined ? file : `${folder}/${file}`);
    const lens = lensOf(op, await files.readJson(at(CONFIG)));
    const source = await files.openRange(at(PARAMS));
    try {
      lens.translators.loadStateDict(await readTorch(op, source));
    } finally {
      await source.close();
    }
    return lens;
  }

  /**
   * Writes the lens as the library tuned-lens does, which reads it.
   * @throws TsveneError for a directory with the files of something else.
   */
  async save(directory: string): Promise<void> {
    const op = `${OP}.save`;
    requireNode(op);
    await requireOwn(op, directory);
    const config: LensConfig = {
      base_model_name_or_path: this.baseModel,
      d_model: this.width,
      num_hidden_layers: this.translators.length,
      bias: this.translators.at(0).bias !== undefined,
      base_model_revision: null,
      unembed_hash: null,
      lens_type: "linear_tuned_lens",
    };
    const text = new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);
    const files = new Map([
      [CONFIG, async (write: (bytes: Uint8Array) => Promise<void>) => write(text)],
      [PARAMS, await torchContent(this.translators.stateDict())],
    ]);
    await writeTogether(directory, { files, isSuperseded: () => false });
  }

  override describe(): string {
    return `width=${this.width}`;
  }
}

function translator(width: number, bias: boolean): Linear {
  const linear = new Linear(width, width, { bias });
  const start: Tensors = { weight: zeros([width, width]), ...(bias && { bias: zeros([width]) }) };
  linear.loadStateDict(start);
  return linear;
}

function lensOf(op: string, given: unknown): TunedLens {
  const config = (given ?? {}) as { readonly [K in keyof LensConfig]?: unknown };
  const { d_model: width, num_hidden_layers: layers, lens_type: kind } = config;
  const { base_model_name_or_path: baseModel, bias } = config;
  const isKnown = kind === undefined || kind === "linear_tuned_lens";
  if (!isKnown || typeof width !== "number" || typeof layers !== "number") {
    return fail(
      op,
      `${CONFIG} is of no tuned lens: d_model, num_hidden_layers and lens_type "linear_tuned_lens" were ` +
        `expected, got ${shown(width)}, ${shown(layers)} and ${shown(kind)}`,
    );
  }
  return new TunedLens({
    width,
    layers,
    bias: bias !== false,
    ...(typeof baseModel === "string" && { baseModel }),
  });
}

async function requireOwn(op: string, directory: string): Promise<void> {
  if (typeof directory !== "string" || directory === "") {
    fail(op, `a directory was expected, got ${shown(directory)}`);
  }
  const files = new LocalFiles(directory);
  if (!(await files.exists(CONFIG))) return;
  const json = await files.readJson(CONFIG).catch(() => undefined);
  if (typeof json === "object" && json !== null && "lens_type" in json) return;
  fail(op, `${directory} has a ${CONFIG} of something else, which would be lost; choose another`);
}
