import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SparseAutoencoderOptions, TrainedOn } from "./autoencoder-options.ts";
import type { Normalization } from "./input-scale.ts";
import type { LatentArchitecture } from "./latent-activations.ts";
import type { Tensors } from "../data/read-torch.ts";

/** What files of some form say. */
export interface Described {
  readonly made: SparseAutoencoderOptions;
  readonly tensors: Tensors;
  /** Whether a factor of the training may still have to be multiplied into the weights. @default false */
  readonly isUnscaled?: boolean;
}

type Settings = Readonly<Record<string, unknown>>;

/** What files call architectures of which this library has one: those of batches are saved with a threshold. */
const ARCHITECTURES: Readonly<Record<string, LatentArchitecture>> = {
  standard: "standard",
  gated: "gated",
  jumprelu: "jumprelu",
  topk: "topk",
  batchtopk: "jumprelu",
  matryoshka_batchtopk: "jumprelu",
};

/** What sae_lens calls transcoders: the way to make latents, and whether there is a linear map beside them. */
const TRANSCODERS: Readonly<
  Record<string, Pick<SparseAutoencoderOptions, "architecture" | "skip">>
> = {
  transcoder: { architecture: "standard" },
  skip_transcoder: { architecture: "standard", skip: true },
  jumprelu_transcoder: { architecture: "jumprelu" },
};

/** Files of sae_lens: since version 6 what is about the model stands in `metadata`. */
export function saeLens(op: string, given: unknown, raw: Tensors, where: string): Described {
  const cfg = settingsIn(op, given, where);
  const meta = isSettings(cfg.metadata) ? cfg.metadata : cfg;
  const transcoder = transcoderIn(cfg);
  if (transcoder !== undefined) return saeLensTranscoder(op, { cfg, meta, transcoder, raw, where });
  const architecture = architectureIn(op, cfg, where);
  const normalize = normalizationIn(op, cfg, where);
  const centred = meta.model_from_pretrained_kwargs;
  const hook = meta.hook_name ?? meta.hook_point;
  const options: SparseAutoencoderOptions = {
    width: sizeIn(op, cfg, "d_in", where),
    latentDim: sizeIn(op, cfg, "d_sae", where),
    architecture,
    ...(architecture === "topk" && { k: kIn(cfg) }),
    ...(cfg.rescale_acts_by_decoder_norm === true && { rescaleByDecoderNorm: true }),
    ...(cfg.apply_b_dec_to_input === false && { subtractDecoderBias: false }),
    ...(normalize !== "none" && normalize !== UNSCALED && { normalize }),
    ...(isSettings(centred) && centred.center_writing_weights === true && { centerInput: true }),
    trainedOn: trainedOn({
      model: meta.model_name,
      hook,
      prependBos: meta.prepend_bos,
      contextSize: meta.context_size,
    }),
  };
  return {
    made: options,
    tensors: withoutFactor(op, raw, where),
    isUnscaled: normalize === UNSCALED,
  };
}

function transcoderIn({ architecture }: Settings): (typeof TRANSCODERS)[string] | undefined {
  const name = String(architecture);
  return Object.hasOwn(TRANSCODERS, name) ? TRANSCODERS[name] : undefined;
}

interface TranscoderFiles {
  readonly cfg: Settings;
  readonly meta: Settings;
  readonly transcoder: Pick<SparseAutoencoderOptions, "architecture" | "skip">;
  readonly raw: Tensors;
  readonly where: string;
}

function saeLensTranscoder(
  op: string,
  { cfg, meta, transcoder, raw, where }: TranscoderFiles,
): Described {
  const { apply_b_dec_to_input: subtracts, activation_fn: activation = "relu" } = cfg;
  if (subtracts === true || normalizationIn(op, cfg, where) !== "none" || activation !== "relu") {
    fail(
      op,
      `${where} is a transcoder with apply_b_dec_to_input, normalize_activations or an activation other than ` +
        "relu, which is not read",
    );
  }
  const inputWidth = sizeIn(op, cfg, "d_in", where);
  const made: SparseAutoencoderOptions = {
    width: cfg.d_out === undefined ? inputWidth : sizeIn(op, cfg, "d_out", where),
    latentDim: sizeIn(op, cfg, "d_sae", where),
    transcoder: true,
    inputWidth,
    ...transcoder,
    trainedOn: trainedOn({
      model: meta.model_name,
      hook: meta.hook_name,
      hookOut: meta.hook_name_out,
      prependBos: meta.prepend_bos,
      contextSize: meta.context_size,
    }),
  };
  return { made, tensors: raw };
}

function architectureIn(op: string, cfg: Settings, where: string): LatentArchitecture {
  const { architecture = "standard", activation_fn, activation_fn_str } = cfg;
  const name = String(architecture);
  const activation = activation_fn ?? activation_fn_str ?? "relu";
  const known = Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name] : undefined;
  if (known === undefined) {
    const names = [...Object.keys(ARCHITECTURES), ...Object.keys(TRANSCODERS)];
    return fail(
      op,
      `${where} is of architecture ${shown(architecture)}; ${didYouMean(name, names)}`,
    );
  }
  if (known === "standard" && activation === "topk") return "topk";
  if (activation === "relu" || (known === "topk" && activation === "topk")) return known;
  return fail(op, `${where} has the activation ${shown(activation)}; relu and topk are known`);
}

const UNSCALED = "expected_average_only_in";

function normalizationIn(
  op: string,
  cfg: Settings,
  where: string,
): Normalization | typeof UNSCALED {
  const { normalize_activations: given } = cfg;
  if (given === undefined || given === null || given === false) return "none";
  if (given === true) return UNSCALED;
  const known = ["none", "constant_norm_rescale", "layer_norm", UNSCALED] as const;
  const found = known.find((name) => name === given);
  if (found !== undefined) return found;
  const near = didYouMean(shown(given), known);
  return fail(op, `${where} has normalize_activations ${shown(given)}; ${near}`);
}

function kIn({ k, activation_fn_kwargs: kwargs }: Settings): number {
  return Number(k ?? (isSettings(kwargs) ? kwargs.k : undefined));
}

/** Old files hold a factor for each latent, which is 1 unless it was trained. */
function withoutFactor(op: string, tensors: Tensors, where: string): Tensors {
  const { scaling_factor: factor, ...others } = tensors;
  const isOne = factor?.values?.every((value) => Math.abs(Number(value) - 1) < 1e-6) ?? true;
  if (isOne) return others;
  return fail(op, `${where} has a scaling_factor other than 1, which is not read`);
}

/** Files of sparsify. */
export function sparsify(op: string, given: unknown, raw: Tensors, where: string): Described {
  const cfg = settingsIn(op, given, where);
  const { activation = "topk" } = cfg;
  const odd = ["signed", "embed_skip", "gram_lookup"].find((name) => cfg[name] === true);
  if (odd !== undefined || activation !== "topk") {
    fail(op, `${where} has ${odd ?? `the activation ${shown(activation)}`}, which is not read`);
  }
  const { "encoder.weight": W, "encoder.bias": b_enc, W_dec, b_dec, W_skip } = raw;
  const transcoder = cfg.transcode === true;
  if (W_skip !== undefined && !transcoder) {
    fail(op, `${where} has W_skip, but is no transcoder, so that its place is not known`);
  }
  const module = where.split("/").at(-1);
  return {
    made: {
      width: sizeIn(op, cfg, "d_in", where),
      latentDim: sizeOf(W, 0),
      architecture: "topk",
      k: kIn(cfg),
      ...(transcoder && { transcoder, skip: W_skip !== undefined }),
      trainedOn: trainedOn(
        transcoder ? { hook: `${module}.input`, hookOut: `${module}.output` } : { hook: module },
      ),
    },
    tensors: named({ W_enc: W?.t(), b_enc, W_dec, b_dec, W_skip }),
  };
}

/** Classes of dictionary_learning. */
const CLASSES: Readonly<Record<string, LatentArchitecture>> = {
  AutoEncoder: "standard",
  GatedAutoEncoder: "gated",
  AutoEncoderTopK: "topk",
  BatchTopKSAE: "jumprelu",
  MatryoshkaBatchTopKSAE: "jumprelu",
  JumpReluAutoEncoder: "jumprelu",
};

/** Files of dictionary_learning. */
export function dictionaryLearning(
  op: string,
  given: unknown,
  raw: Tensors,
  where: string,
): Described {
  const { trainer, buffer } = settingsIn(op, given, where);
  const cfg = settingsIn(op, trainer, `${where}: trainer`);
  const name = String(cfg.dict_class);
  const architecture = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (architecture === undefined) {
    fail(op, `${where} is a ${name}; ${didYouMean(name, Object.keys(CLASSES))}`);
  }
  const latentDim = sizeIn(op, cfg, "dict_size", where);
  const isPlain = name === "JumpReluAutoEncoder";
  return {
    made: {
      width: sizeIn(op, cfg, "activation_dim", where),
      latentDim,
      architecture,
      ...(architecture === "topk" && { k: kIn(cfg) }),
      ...(isPlain && { subtractDecoderBias: false }),
      trainedOn: trainedOn({
        model: cfg.lm_name,
        hook: isCount(cfg.layer) ? `blocks.${cfg.layer}.hook_resid_post` : undefined,
        contextSize: isSettings(buffer) ? buffer.ctx_len : undefined,
      }),
    },
    tensors: isPlain ? raw : dictionaryTensors(raw, architecture, latentDim),
  };
}

function dictionaryTensors(
  raw: Tensors,
  architecture: LatentArchitecture,
  latents: number,
): Tensors {
  return named({
    W_enc: (raw["encoder.weight"] ?? raw["W_enc"]?.t())?.t(),
    W_dec: (raw["decoder.weight"] ?? raw["W_dec"]?.t())?.t(),
    b_dec: raw["b_dec"] ?? raw["bias"] ?? raw["decoder_bias"],
    b_enc: raw["encoder.bias"] ?? raw["b_enc"],
    b_mag: raw["mag_bias"],
    b_gate: raw["gate_bias"],
    r_mag: raw["r_mag"],
    ...(architecture === "jumprelu" && { threshold: raw["threshold"]?.expand([latents]) }),
  });
}

/** Files of Gemma Scope, whose place says what they were trained on. */
export function gemmaScope(_op: string, _given: unknown, raw: Tensors, where: string): Described {
  const entries = Object.entries(raw).map(([name, value]) => [name.replace(/^w_/, "W_"), value]);
  const tensors = Object.fromEntries(entries) as Tensors;
  const layer = /layer_(\d+)/.exec(where)?.[1];
  const kind = /-(res|mlp|att|transcoder)(?=s?(?![a-z]))/.exec(where)?.[1] ?? "";
  const [hook, hookOut] = GEMMA[kind] ?? [];
  const at = (name: string | undefined): string | undefined =>
    layer && name && `blocks.${layer}.${name}`;
  return {
    made: {
      width: sizeOf(tensors["W_dec"], 1),
      latentDim: sizeOf(tensors["W_enc"], 1),
      architecture: "jumprelu",
      ...(hookOut === undefined ? { subtractDecoderBias: false } : { transcoder: true }),
      trainedOn: trainedOn({ hook: at(hook), hookOut: at(hookOut), prependBos: true }),
    },
    tensors,
  };
}

/** Hooks by the names of repositories, such as "gemma-scope-2b-pt-res". */
const GEMMA: Readonly<Partial<Record<string, readonly [string, string?]>>> = {
  res: ["hook_resid_post"],
  mlp: ["hook_mlp_out"],
  att: ["attn.hook_z"],
  transcoder: ["ln2.hook_normalized", "hook_mlp_out"],
};

function sizeOf(tensor: Tensor | undefined, dim: number): number {
  return tensor?.shape[dim] ?? 0;
}

function named(tensors: Readonly<Record<string, Tensor | undefined>>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function settingsIn(op: string, given: unknown, where: string): Settings {
  if (isSettings(given)) return given;
  return fail(op, `${where}: settings are an object by name, got ${shown(given)}`);
}

function sizeIn(op: string, cfg: Settings, name: string, where: string): number {
  const { [name]: size } = cfg;
  if (isCount(size) && size > 0) return size;
  return fail(op, `${where}: ${name} must be a number of 1 or more, got ${shown(size)}`);
}

function trainedOn(given: { readonly [K in keyof TrainedOn]?: unknown }): TrainedOn {
  const { model, hook, hookOut, prependBos, contextSize } = given;
  return {
    ...(typeof model === "string" && { model }),
    ...(typeof hook === "string" && { hook }),
    ...(typeof hookOut === "string" && { hookOut }),
    ...(typeof prependBos === "boolean" && { prependBos }),
    ...(isCount(contextSize) && { contextSize }),
  };
}
