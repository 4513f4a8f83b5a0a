import { printsItself } from "../../base/inspect.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { range } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { zerosLike } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { NamedArray } from "../results/named-array.ts";
import { readNumbers } from "../results/read-numbers.ts";
import {
  isTokenIn,
  logitsEverywhere,
  sideEffect,
  type TextTensors,
} from "../steering/neutral-texts.ts";
import {
  autoencoderTexts,
  type AutoencoderTexts,
  type AutoencoderTextsOptions,
} from "./autoencoder-texts.ts";
import { traceSite } from "./read-latents.ts";
import type { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** Mean negative log probabilities of next tokens, in nats. */
export interface SubstitutedLosses {
  /** Of the model as it is. */
  readonly clean: number;
  /** With what the autoencoder decodes to in the representation's place. */
  readonly reconstructed: number;
  /** With nothing in its place. */
  readonly zero: number;
  /** With the mean over all tokens in its place. */
  readonly mean: number;
}

/** What {@link AutoencoderHealth} holds. */
export interface AutoencoderHealthFields {
  /** How many tokens were read. */
  readonly tokens: number;
  /** How many latents are not 0, the mean over tokens. */
  readonly l0: number;
  /** 1 - sum |x - x̂|² / sum |x - x̄|²: 1 for what is decoded exactly, 0 for the mean. */
  readonly explainedVariance: number;
  /** The share of tokens at which each latent is not 0, [latent]. */
  readonly density: NamedArray;
  /** The model's loss with other things in the representation's place. */
  readonly losses: SubstitutedLosses;
}

const OP = "autoencoderHealth";
const OPTIONS: OptionNames<AutoencoderTextsOptions> = {
  tokenizer: true,
  site: true,
  batchSize: true,
};

/** How well an autoencoder does on texts; what `autoencoderHealth` returns. */
export class AutoencoderHealth implements AutoencoderHealthFields {
  readonly tokens: number;
  readonly l0: number;
  readonly explainedVariance: number;
  readonly density: NamedArray;
  readonly losses: SubstitutedLosses;

  constructor(fields: AutoencoderHealthFields) {
    this.tokens = fields.tokens;
    this.l0 = fields.l0;
    this.explainedVariance = fields.explainedVariance;
    this.density = fields.density;
    this.losses = fields.losses;
  }

  /** Numbers of the latents that are 0 at every token. */
  get dead(): readonly number[] {
    return range(this.density.values.length).filter((latent) => this.density.values[latent] === 0);
  }

  /**
   * How much of the loss the autoencoder wins back that the baseline costs: 1 as good as the representation, 0 as
   * bad as the baseline.
   * @param baseline @default "zero"
   */
  lossRecovered(baseline: "zero" | "mean" = "zero"): number {
    const { clean, reconstructed, [baseline]: without } = this.losses;
    return (without - reconstructed) / (without - clean);
  }

  /** Each number with what it is. */
  toString(): string {
    const { losses, density, dead } = this;
    const number = (value: number): string => value.toFixed(3);
    return [
      `${this.tokens} tokens`,
      `latents that are not 0  ${number(this.l0)}`,
      `explained variance      ${number(this.explainedVariance)}`,
      `dead latents            ${dead.length} of ${density.values.length}`,
      `loss recovered          ${number(this.lossRecovered())} from zero, ${number(this.lossRecovered("mean"))} from the mean`,
      `loss                    ${number(losses.clean)}; reconstructed ${number(losses.reconstructed)}, ` +
        `zero ${number(losses.zero)}, mean ${number(losses.mean)}`,
    ].join("\n");
  }
}

printsItself(AutoencoderHealth.prototype);

/**
 * How well an autoencoder does on texts: how many latents it takes, how much of the representations' variance it
 * explains, which latents are dead, and how much worse the model gets with what it decodes to, compared with
 * nothing and with the mean in its place. A transcoder is held to what it decodes to, such as an MLP's output.
 * Padding counts nowhere.
 *
 * @param texts - Texts of two tokens or more, or their ids.
 * @throws TsveneError for an autoencoder of another width, and a model without logits at every position.
 *
 * @example
 * ```ts
 * import { autoencoderHealth, AutoModelForCausalLM, AutoTokenizer, SparseAutoencoder } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const sae = new SparseAutoencoder({ width: 112, latentDim: 224 });
 * const health = await autoencoderHealth(model, sae, ["The capital of Italy is Rome."], {
 *   tokenizer,
 *   site: { layer: 1, component: "block_output" },
 * });
 * console.log(String(health));
 * ```
 */
export async function autoencoderHealth(
  model: Module,
  sae: SparseAutoencoder,
  texts: readonly string[] | TextTensors,
  options: AutoencoderTextsOptions = {},
): Promise<AutoencoderHealth> {
  requireKnownOptions(OP, options, OPTIONS);
  const run = autoencoderTexts(OP, model, sae, texts, options);
  const { mean, tokens } = await meanOfStates(run);
  const sums = new Float64Array(SUMS.length);
  const active = new Float64Array(sae.count);
  for (const indices of run.batches) {
    const traced = traceSums(run, run.inputs(indices), mean);
    await evaluate(...Object.values(traced));
    for (const [i, name] of SUMS.entries()) sums[i] = (sums[i] ?? 0) + (await traced[name].item());
    (await readNumbers(traced.active)).forEach((count, i) => {
      active[i] = (active[i] ?? 0) + count;
    });
  }
  const sum = (name: (typeof SUMS)[number]): number => sums[SUMS.indexOf(name)] ?? NaN;
  const loss = (name: keyof SubstitutedLosses): number => sum(name) / sum("next");
  return new AutoencoderHealth({
    tokens,
    l0: active.reduce((total, count) => total + count, 0) / tokens,
    explainedVariance: 1 - sum("error") / sum("variance"),
    density: new NamedArray({
      name: "share of tokens",
      axes: [{ name: "latent", values: range(sae.count) }],
      values: active.map((count) => count / tokens),
    }),
    losses: {
      clean: loss("clean"),
      reconstructed: loss("reconstructed"),
      zero: loss("zero"),
      mean: loss("mean"),
    },
  });
}

/** What is added up over batches, one number each. */
const SUMS = ["error", "variance", "clean", "reconstructed", "zero", "mean", "next"] as const;

type Sums = { readonly [K in (typeof SUMS)[number]]: Tensor } & {
  /** At how many tokens each latent is not 0, [latents]. */
  readonly active: Tensor;
};

/** The mean of the representations of all tokens, [width], and how many tokens there are. */
async function meanOfStates(
  run: AutoencoderTexts,
): Promise<{ readonly mean: Tensor; readonly tokens: number }> {
  const parts: Tensor[] = [];
  let tokens = 0;
  for (const indices of run.batches) {
    const inputs = run.inputs(indices);
    const isToken = isTokenIn(inputs);
    const { y } = traceSite(OP, run.model, run.sites, inputs);
    const part = y
      .mul(isToken.unsqueeze(-1))
      .to("float64")
      .sum({ dim: [0, 1] })
      .detach();
    const count = isToken.sum();
    await evaluate(part, count);
    tokens += await count.item();
    parts.push(part);
  }
  const mean = parts.reduce((a, b) => a.add(b)).div(tokens).to("float32").detach(); // prettier-ignore
  await evaluate(mean);
  return { mean, tokens };
}

function traceSums(
  { model, sae, sites }: AutoencoderTexts,
  inputs: TextTensors,
  mean: Tensor,
): Sums {
  const { x, y, output } = traceSite(OP, model, sites, inputs);
  const isToken = isTokenIn(inputs);
  const z = sae.encode(x);
  const decoded = sae.decode(z, x).to(y.dtype);
  const squares = (of: Tensor): Tensor =>
    of.to("float64").square().sum({ dim: -1 }).mul(isToken.to("float64")).sum();
  const plain = logitsIn(model, output);
  const lossWith = (put: Tensor): Tensor => {
    const edited = traceSite(OP, model, sites, inputs, () => put).output;
    return sideEffect(inputs, logitsIn(model, edited), plain).loss.sum();
  };
  const { loss, tokens } = sideEffect(inputs, plain, plain);
  return {
    error: squares(y.sub(decoded)),
    variance: squares(y.sub(mean)),
    clean: loss.sum(),
    reconstructed: lossWith(decoded),
    zero: lossWith(zerosLike(y)),
    mean: lossWith(zerosLike(y).add(mean)),
    next: tokens.sum(),
    active: z
      .ne(0)
      .to("float32")
      .mul(isToken.unsqueeze(-1))
      .sum({ dim: [0, 1] }),
  };
}

function logitsIn(model: Module, output: unknown): Tensor {
  return logitsEverywhere(OP, model, output, "losses are made of");
}
