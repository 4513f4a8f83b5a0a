import { CausalLanguageModel } from "../models/causal-language-model.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateStep,
} from "../models/generation/options.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { fail } from "../tensor/errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import type {
  ForwardOptions,
  InputsOf,
  IntervenedGenerateOptions,
  IntervenedGeneration,
  OutputsOf,
} from "./arguments.ts";
import type { CheckedComponent } from "./component-of.ts";
import { IntervenableConfig, type IntervenableConfigLike, type Mode } from "./config.ts";
import { modelSettings, type TracedGeneration, traceGeneration } from "./generate.ts";
import { InterventionDict } from "./intervention-dict.ts";
import { type IntervenableOutput, makeOutput } from "./output.ts";
import { makePlan } from "./plan.ts";
import { resolveTargets, type Target } from "./target.ts";
import { callModel, emptyHarvest, inOrder, traceRun, traceSources } from "./trace.ts";

const OP = "IntervenableModel";

/**
 * A model together with interventions on what goes on inside it. It is a module: its parameters are
 * those of the interventions (under `interventions.<key>`) and of the model (under `model`), which is
 * neither frozen nor changed in any way.
 *
 * @example
 * ```ts
 * import { GPT2LMHeadModel, IntervenableModel, tensor, ZeroIntervention } from "tsvene";
 * const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 50 }).eval();
 * const model = new IntervenableModel(
 *   { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
 *   gpt2,
 * );
 * const inputIds = tensor([[3, 1, 4, 1, 5]], { dtype: "int64" });
 * const [original, intervened] = model.forward({ inputIds }, { unitLocations: { base: 3 } });
 * console.log(await intervened.logits.sub(original.logits).abs().amax().item());
 * ```
 */
export class IntervenableModel<
  M extends Module = Module,
  Name extends string = string,
> extends Module {
  readonly interventions: InterventionDict;
  readonly model: M;
  readonly config: IntervenableConfig;
  /** Each intervention with its place in the model, in the order of declaration. */
  readonly #targets: readonly Target[];

  /**
   * @throws TensorError for a configuration that contradicts itself and for places that the model
   * does not have, with the nearest names.
   */
  constructor(config: IntervenableConfigLike<CheckedComponent<M, Name>>, model: M) {
    super();
    if (!(model instanceof Module)) fail(OP, "the second argument must be a model (a Module)");
    this.config = config instanceof IntervenableConfig ? config : new IntervenableConfig(config);
    this.model = model;
    this.#targets = resolveTargets(model, this.config);
    this.interventions = new InterventionDict(
      this.#targets.map(({ key, intervention }) => [key, intervention]),
    );
  }

  /** Keys of the interventions, in the order of declaration. */
  get keys(): readonly string[] {
    return this.#targets.map(({ key }) => key);
  }

  get mode(): Mode {
    return this.config.mode;
  }

  /**
   * Traces the model on `base` with the interventions. Returns at once; numbers are computed when
   * they are asked for.
   *
   * @param base - What the model's `forward` takes.
   * @throws TensorError for places and sources that do not fit, for an intervention that could never
   * fire, and for a missing source that was not declared `null`.
   */
  override forward(
    base: InputsOf<M>,
    options: ForwardOptions<InputsOf<M>> = {},
  ): IntervenableOutput<OutputsOf<M>> {
    const { labels, ...rest } = options;
    const plan = makePlan(this.#targets, this.mode, base, rest);
    const harvest = emptyHarvest();
    const activations = traceSources(this.model, plan);
    const inputs = labels === undefined ? base : withLabels(base, labels);
    const run = { ...plan.base, inputs };
    const intervened = traceRun(this.model, run, activations, harvest) as OutputsOf<M>;
    const original = (): OutputsOf<M> => callModel(this.model, base) as OutputsOf<M>;
    return makeOutput(intervened, inOrder(harvest, this.keys), original);
  }

  /**
   * Generates from prompts with the interventions; everything that the model's own `generate` takes can
   * be given too. Sources are run once, before. By default only new tokens are edited: positions
   * in `unitLocations` count the whole text, and a lone 0 means every new token.
   *
   * What the model writes without interventions is what its own `generate` gives.
   *
   * @throws TensorError as {@link forward} does, and for an edit that no step would make.
   *
   * @example
   * ```ts
   * import { AdditionIntervention, GPT2LMHeadModel, IntervenableModel, randn, tensor } from "tsvene";
   * const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 50 }).eval();
   * const model = new IntervenableModel(
   *   [0, 1].map((layer) => ({ layer, component: "mlp_output", intervention: AdditionIntervention })),
   *   gpt2,
   * );
   * const prompt = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
   * const { intervened } = await model.generate(prompt, {
   *   sourceRepresentations: randn([16]),
   *   maxNewTokens: 4,
   *   eosTokenId: null,
   * });
   * console.log(await intervened.sequences.toArray());
   * ```
   */
  async generate(
    this: IntervenableModel<CausalLanguageModel>,
    prompts: GenerateInputs,
    options: IntervenedGenerateOptions = {},
  ): Promise<IntervenedGeneration> {
    const { generation, settings } = await this.#traceGeneration(prompts, options);
    const intervened = await this.model.generate(prompts, settings);
    return {
      intervened,
      collected: [...generation.collected.values()].flat(),
      collectedByKey: Object.fromEntries(generation.collected),
    };
  }

  /** As {@link generate}, token by token. A loop that is left early computes no further token. */
  async *stream(
    this: IntervenableModel<CausalLanguageModel>,
    prompts: GenerateInputs,
    options: IntervenedGenerateOptions = {},
  ): AsyncGenerator<GenerateStep> {
    const { settings } = await this.#traceGeneration(prompts, options);
    yield* this.model.stream(prompts, settings);
  }

  async #traceGeneration(
    prompts: GenerateInputs,
    options: IntervenedGenerateOptions,
  ): Promise<{ readonly generation: TracedGeneration; readonly settings: GenerateOptions }> {
    const model: Module = this.model;
    if (!(model instanceof CausalLanguageModel)) {
      fail(OP, `${model.constructor.name} cannot generate`);
    }
    const settings = modelSettings(options);
    const generation = await traceGeneration({
      model,
      keys: this.keys,
      plan: (given) => makePlan(this.#targets, this.mode, prompts, given),
      inputIds: prompts.inputIds,
      options,
      settings,
    });
    return { generation, settings: { ...settings, trace: generation.trace } };
  }

  /** Parameters of the interventions that are to be learned, each once. */
  trainableParameters(): Parameter[] {
    const trained = [...this.interventions].filter(([, intervention]) => intervention.trainable);
    return [...new Set(trained.flatMap(([, intervention]) => intervention.parameters()))];
  }

  /**
   * Sets the softness of the masks of all interventions that have one; see
   * {@link Intervention.setTemperature}.
   * @throws TensorError when none has.
   */
  setTemperature(temperature: number): void {
    const masked = [...this.interventions].filter(([, { temperature: own }]) => own !== undefined);
    if (masked.length === 0) fail("setTemperature", "no intervention has a temperature");
    for (const [, intervention] of masked) intervention.setTemperature(temperature);
  }

  /** Each intervention with its place, one a line. */
  override toString(): string {
    const lines = this.#targets.map(
      ({ key, intervention, site: { path, side }, group }) =>
        `  ${key}: ${intervention.constructor.name}(${intervention.describe()}) at ${path}.${side}, ` +
        `group ${group}`,
    );
    return `IntervenableModel(${this.model.constructor.name}, ${this.mode})\n${lines.join("\n")}`;
  }
}

function withLabels(base: unknown, labels: Tensor): unknown {
  if (base instanceof Tensor || typeof base !== "object" || base === null) {
    fail(OP, "labels need a base that is an object of inputs");
  }
  return { ...base, labels };
}
