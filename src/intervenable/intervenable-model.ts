import type { FilesName } from "../files/open-files.ts";
import type {
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
} from "../models/generation/options.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { fail } from "../interventions/errors.ts";
import { describeValue, isPromise } from "../base/describe-value.ts";
import { requireKnownOptions } from "../base/known-options.ts";
import { type Device, knownDevices } from "../tensor/device.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  FORWARD_OPTIONS,
  type ForwardOptions,
  type InputsOf,
  type IntervenedGenerateOptions,
  type IntervenedGeneration,
  type OutputsOf,
} from "./generation/arguments.ts";
import type { CheckedComponent } from "../models/model/component-names.ts";
import { INPUTS_ADVICE } from "../models/model/require-inputs.ts";
import { IntervenableConfig, type IntervenableConfigLike, type Mode } from "./config/config.ts";
import { explainCall } from "./explain/explain.ts";
import type { Explanation } from "./explain/explanation.ts";
import { Deferred } from "./generation/deferred.ts";
import type { TracedGeneration } from "./generation/generate.ts";
import { InterventionDict } from "./config/intervention-dict.ts";
import { asPair, type IntervenableOutput, makeOutput } from "./call/output.ts";
import { noteOwnCache, refuseOtherCache } from "./call/own-cache.ts";
import { makePlan, type Plan } from "./call/plan.ts";
import { prefixLength, withPrefix } from "./call/prefix.ts";
import type { Target, WaitingTarget } from "./sites/target.ts";
import { Targets } from "./sites/targets.ts";
import type { LoadIntervenableOptions, ModelOrMaker } from "./saving/load.ts";
import type { LoadableClass, ModelMaker } from "./saving/model-files.ts";
import type { ParameterOptions } from "./saving/own-parameters.ts";
import type * as Saving from "./saving/saving.ts";
import type { Pushed } from "../files/push-options.ts";
import type { SaveIntervenableOptions } from "./saving/save.ts";
import type { IntervenableContent } from "./saving/saved-model.ts";
import { callModel, inOrder, traceCall } from "./call/trace.ts";
import { type PromptsOf, type Writer, writerOf, type WritingModel } from "./call/writer.ts";

const OP = "IntervenableModel";

/** What reads and writes files, which a page loads when it is first asked for. */
const saving = (): Promise<typeof Saving> => import("./saving/saving.ts");

/**
 * A model together with interventions on what goes on inside it. It is a module: its parameters are
 * those of the interventions (under `interventions.<name>`) and of the model (under `model`), which is
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
  /** The interventions by name; what was given as a class is built here. */
  readonly interventions: InterventionDict;
  /** The model itself, which is never changed. */
  readonly model: M;
  /** What the model was given, with every default filled in. */
  readonly config: IntervenableConfig;
  /** Each intervention with its place in the model, in the order of declaration. */
  readonly #targets: Targets;

  /**
   * @throws InterventionError for a configuration that contradicts itself and for places that the model
   * does not have, with the nearest names.
   */
  constructor(config: IntervenableConfigLike<CheckedComponent<M, Name>>, model: M) {
    super();
    requireModel(config, model);
    this.config = config instanceof IntervenableConfig ? config : new IntervenableConfig(config);
    this.model = model;
    this.#targets = new Targets(model, this.config);
    this.interventions = new InterventionDict(this.#targets);
  }

  /** Names of the interventions, their own or their places, in the order of declaration. */
  get names(): readonly string[] {
    return this.#targets.all.map(({ name }) => name);
  }

  /** Names of the interventions of each group, in the order of the groups: those read one source. */
  get groups(): readonly (readonly string[])[] {
    const groups: string[][] = [];
    for (const { name, group } of this.#targets.all) (groups[group] ??= []).push(name);
    return groups;
  }

  /** Whether all groups act in one run, or each group's run is the source of the next. */
  get mode(): Mode {
    return this.config.mode;
  }

  /**
   * Builds the interventions whose class needs to know a width that neither a component nor a module
   * says, as at your own module's path. The model is traced on `base` for its shapes; nothing is
   * computed. `forward`, `explain` and `generate` do this by themselves: call it where parameters are
   * wanted before, as for an optimizer.
   *
   * @param base - What the model's `forward` takes.
   * @throws InterventionError for a module that is not used.
   *
   * @example
   * ```ts
   * import { Adam, IntervenableModel, Linear, Module, randn, type Tensor } from "tsvene";
   * import { RotatedSpaceIntervention } from "tsvene";
   * class Act extends Module {
   *   override forward(x: Tensor): Tensor {
   *     return x.relu();
   *   }
   * }
   * class Net extends Module {
   *   readonly up = new Linear(4, 8);
   *   readonly act = new Act();
   *   override forward(x: Tensor): Tensor {
   *     return this.act.forward(this.up.forward(x));
   *   }
   * }
   * const model = new IntervenableModel<Net>(
   *   { component: "act.output", intervention: RotatedSpaceIntervention },
   *   new Net(),
   * ).inferWidths(randn([1, 3, 4]));
   * const optimizer = new Adam(model.trainableParameters());
   * console.log(model.countParameters()); // 64
   * ```
   */
  inferWidths(base: InputsOf<M>): this {
    this.#targets.built(() => callModel(this.model, base));
    return this;
  }

  /**
   * Traces the model on `base` with the interventions. Returns at once; numbers are computed when
   * they are asked for.
   *
   * @param base - What the model's `forward` takes.
   * @throws InterventionError for places and sources that do not fit, for an intervention that could never
   * fire, and for a missing source that was not declared `null`.
   */
  override forward(
    base: InputsOf<M>,
    options: ForwardOptions<InputsOf<M>> = {},
  ): IntervenableOutput<OutputsOf<M>> {
    const plan = this.#planOf(base, options);
    const { harvest, intervened } = traceCall(
      this.model,
      withPrefix(this.model, plan, options.reusePrefix),
    );
    noteOwnCache(plan, this, intervened);
    const original = (): OutputsOf<M> => callModel(this.model, base) as OutputsOf<M>;
    return makeOutput(intervened as OutputsOf<M>, inOrder(harvest, this.names), original);
  }

  /**
   * Says what {@link forward} would do with the same arguments, and what that would take: each
   * intervention with its place, the shapes there and its source, each run with the layers that it
   * needs and those that it shares, parameters to be learned, arithmetic and memory. Nothing is computed.
   *
   * @returns An object, which `String(...)` prints as tables.
   * @throws InterventionError exactly where `forward` does.
   *
   * @example
   * ```ts
   * import { GPT2LMHeadModel, IntervenableModel, tensor } from "tsvene";
   * const gpt2 = new GPT2LMHeadModel({ nLayer: 4, nEmbd: 16, nHead: 2, vocabSize: 50 }).eval();
   * const model = new IntervenableModel({ layer: 1, component: "block_output" }, gpt2);
   * const ids = (row: number[]) => ({ inputIds: tensor([row], { dtype: "int64" }) });
   * const plan = model.explain(ids([3, 1, 4]), {
   *   sources: ids([2, 7, 1]),
   *   unitLocations: { "sources->base": 2 },
   * });
   * console.log(String(plan));
   * console.log(plan.runs[0]?.stopsAt); // transformer.h.1.output
   * ```
   */
  explain(base: InputsOf<M>, options: ForwardOptions<InputsOf<M>> = {}): Explanation {
    const plan = this.#planOf(base, options);
    return explainCall({
      model: this.model,
      mode: this.mode,
      targets: this.#targets.built(() => callModel(this.model, base)),
      plan,
      base,
      trace: () => traceCall(this.model, plan),
    });
  }

  /** @internal How many positions {@link forward} would read before the first edited one. */
  prefixLength(base: InputsOf<M>, options: ForwardOptions<InputsOf<M>>): number {
    return prefixLength(this.model, this.#planOf(base, options));
  }

  /** The plan that `forward` and `explain` share; `generate` makes its own with the same function. */
  #planOf(base: InputsOf<M>, options: ForwardOptions<InputsOf<M>>): Plan {
    requireInputs("base", base);
    requireKnownOptions(OP, options, FORWARD_OPTIONS);
    for (const [name, value] of Object.entries(options)) {
      if (isPromise(value)) fail(OP, `${name} is ${describeValue(value)}`);
    }
    for (const source of [options.sources ?? []].flat()) {
      if (source !== null && source !== undefined) requireInputs("sources", source);
    }
    const { labels, otherCache = false, reusePrefix: _, ...given } = options;
    const targets = this.#targets.built(() => callModel(this.model, base));
    const plan = makePlan(targets, this.mode, base, { ...given, ...padTokenOf(this.model) });
    if (!otherCache) refuseOtherCache(plan, this);
    if (labels === undefined) return plan;
    return { ...plan, base: { ...plan.base, inputs: withLabels(base, labels) } };
  }

  /**
   * Generates from prompts with the interventions; everything that the model's own `generate` takes can
   * be given too. Sources are run once, before. By default only new tokens are edited: positions
   * in `unitLocations` count the whole text, and a lone 0 means every new token.
   *
   * Gives the pair `[original, intervened]`, as `forward` does; the original is written only when it is
   * awaited: `const [original, intervened] = await model.generate(prompt)`, then `await original`.
   *
   * @throws InterventionError as {@link forward} does, and for an edit that no step would make.
   *
   * @example
   * ```ts
   * import { AdditionIntervention, GPT2LMHeadModel, IntervenableModel, randn, tensor } from "tsvene";
   * const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 50 }).eval();
   * const model = new IntervenableModel(
   *   [0, 1].map((layer) => ({
   *     layer,
   *     component: "mlp_output" as const,
   *     intervention: AdditionIntervention,
   *   })),
   *   gpt2,
   * );
   * const prompt = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
   * const [original, intervened] = await model.generate(prompt, {
   *   sourceRepresentations: randn([16]),
   *   maxNewTokens: 4,
   *   eosTokenId: null,
   * });
   * console.log(await intervened.sequences.toArray());
   * console.log(await (await original).sequences.toArray());
   * ```
   */
  async generate<W extends WritingModel>(
    this: IntervenableModel<W>,
    prompts: PromptsOf<W>,
    options: IntervenedGenerateOptions<PromptsOf<W>> = {},
  ): Promise<IntervenedGeneration> {
    const { writer, generation, settings } = await this.#traceGeneration(prompts, options);
    const { passes, encoded, collected } = generation;
    const intervened = await writer.generate({ ...settings, passes }, encoded);
    const write = (): Promise<GenerateOutput> => writer.generate(settings, undefined);
    return asPair("IntervenedGeneration", () => new Deferred(write), {
      intervened,
      collected: [...collected.values()].flat(),
      collectedByName: Object.fromEntries(collected),
    });
  }

  /** As {@link generate}, token by token. A loop that is left early computes no further token. */
  async *stream<W extends WritingModel>(
    this: IntervenableModel<W>,
    prompts: PromptsOf<W>,
    options: IntervenedGenerateOptions<PromptsOf<W>> = {},
  ): AsyncGenerator<GenerateStep> {
    const { writer, generation, settings } = await this.#traceGeneration(prompts, options);
    const { passes, encoded } = generation;
    yield* writer.stream({ ...settings, passes }, encoded);
  }

  async #traceGeneration(
    prompts: unknown,
    options: IntervenedGenerateOptions<unknown>,
  ): Promise<{
    readonly writer: Writer;
    readonly generation: TracedGeneration;
    readonly settings: GenerateOptions;
  }> {
    requireInputs("prompts", prompts);
    // Pages that generate nothing need not load how it is done.
    const { modelSettings, traceGeneration } = await import("./generation/generate.ts");
    const model: Module = this.model;
    const settings = modelSettings(options);
    const writer = writerOf(model, prompts, settings);
    const targets = this.#targets.built(() => callModel(model, writer.inputs));
    const generation = await traceGeneration({
      model,
      writer,
      targets,
      plan: (given) =>
        makePlan(targets, this.mode, writer.inputs, { ...given, ...padTokenOf(model) }),
      options,
      settings,
    });
    return { writer, generation, settings };
  }

  /**
   * Loads interventions that tsvene or pyvene saved, from a directory or from the Hugging Face Hub, for
   * a model. Nothing in the files is executed: your own classes must have been registered. It is
   * all or nothing: on an error the model is as it was.
   *
   * @param name - A directory, a repository of the Hub, or another place that `openFiles` knows.
   * @param model - The model; or, for weights that were saved too, its class, such as
   * `GPT2LMHeadModel` or `AutoModelForCausalLM`.
   * @throws InterventionError for what is no artefact, classes that are not known, missing or unfitting
   * parameters, and a model of another family or width; FileSourceError for files that cannot be read.
   *
   * @example
   * ```ts no-run
   * import { AutoModelForCausalLM, IntervenableModel } from "tsvene";
   * const llama = await AutoModelForCausalLM.fromPretrained("meta-llama/Llama-2-7b-chat-hf");
   * const honest = await IntervenableModel.load(
   *   "zhengxuanzenwu/intervenable_honest_llama2_chat_7B",
   *   llama,
   * );
   * ```
   */
  static load<M extends Module>(
    name: FilesName,
    model: M | LoadableClass<M>,
    options?: LoadIntervenableOptions,
  ): Promise<IntervenableModel<M>>;
  static load<M extends Module>(
    name: FilesName,
    model: ModelMaker<M>,
    options?: LoadIntervenableOptions,
  ): Promise<IntervenableModel<M>>;
  static async load<M extends Module>(
    name: FilesName,
    model: ModelOrMaker<M>,
    options: LoadIntervenableOptions = {},
  ): Promise<IntervenableModel<M>> {
    const { loadIntervenable } = await saving();
    return loadIntervenable(name, model, options, (config, on: M, widths) => {
      const made = new IntervenableModel<M>(config, on);
      made.#targets.assume(widths);
      return made;
    });
  }

  /**
   * Saves the interventions with their places and parameters into a directory (Node only): as pyvene
   * does, `config.json` and a file of parameters for each, which Python reads; and `tsvene.json` with
   * `interventions.safetensors`, which hold all that {@link load} needs to give back the same to the
   * last bit. It is one step: whenever it is stopped, the directory holds what it held before, or this.
   * With `pushToHub` the same files go into a repository of the Hugging Face Hub, all in one commit.
   *
   * @returns what the Hub has now, when it was pushed there.
   * @throws InterventionError, before anything is written, for what files cannot hold, by its name: a
   * function, and a class that is not registered; FileSourceError when it cannot be written or uploaded.
   *
   * @example
   * ```ts no-run
   * import { GPT2LMHeadModel, IntervenableModel, ZeroIntervention } from "tsvene";
   * const gpt2 = await GPT2LMHeadModel.fromPretrained("openai-community/gpt2");
   * const model = new IntervenableModel({ layer: 3, intervention: ZeroIntervention }, gpt2);
   * await model.save("without-layer-3");
   * const same = await IntervenableModel.load("without-layer-3", gpt2);
   * ```
   */
  async save(
    directory: string,
    options: SaveIntervenableOptions = {},
  ): Promise<Pushed | undefined> {
    const { saveIntervenable } = await saving();
    return saveIntervenable(directory, this.#content(), options);
  }

  /**
   * Saves parameters of interventions alone, in pyvene's files, one for each (Node only).
   * @throws InterventionError for a name that is not there.
   */
  async saveIntervention(directory: string, options: ParameterOptions = {}): Promise<void> {
    const { saveParameters } = await saving();
    await saveParameters(directory, this.#content(), options);
  }

  /**
   * Gives the interventions parameters that {@link saveIntervention}, {@link save} or pyvene wrote. On
   * an error nothing is changed.
   * @throws InterventionError for parameters that are missing or do not fit.
   */
  async loadIntervention(name: FilesName, options: ParameterOptions = {}): Promise<void> {
    const { loadParameters } = await saving();
    await loadParameters(name, this.#content(), options);
  }

  #content(): IntervenableContent {
    const { model, config, interventions } = this;
    return { model, config, interventions, targets: this.#targets.all };
  }

  /** Parameters of the interventions that are to be learned, each once. */
  trainableParameters(): Parameter[] {
    const trained = [...this.interventions].filter(([, intervention]) => intervention.trainable);
    return [...new Set(trained.flatMap(([, intervention]) => intervention.parameters()))];
  }

  /**
   * Sets the softness of the masks of all interventions that have one; see
   * {@link Intervention.setTemperature}.
   * @throws InterventionError when none has.
   */
  setTemperature(temperature: number): void {
    const masked = [...this.interventions].filter(([, { temperature: own }]) => own !== undefined);
    if (masked.length === 0) fail("setTemperature", "no intervention has a temperature");
    for (const [, intervention] of masked) intervention.setTemperature(temperature);
  }

  /**
   * Number of elements of {@link trainableParameters}, those of linked interventions once.
   *
   * @param options.includeModel - Count the model's parameters that want gradients too. @default false
   */
  countParameters({ includeModel = false }: { readonly includeModel?: boolean } = {}): number {
    const model = includeModel ? this.model.parameters() : [];
    const counted = new Set([...this.trainableParameters(), ...model]);
    return [...counted].reduce(
      (sum, { requiresGrad, numel }) => sum + (requiresGrad ? numel : 0),
      0,
    );
  }

  /** Where numbers are computed: where the model's weights live. */
  get device(): Device {
    return (
      this.model.parameters().find(({ device }) => device !== undefined)?.device ??
      knownDevices().usual()
    );
  }

  /**
   * Nothing to do, and here for programs that call it in their loops: gradients are values, which
   * `grad` and optimisers compute for each loss, so that none accumulates.
   */
  zeroGrad(): void {
    // No gradient is kept anywhere.
  }

  /**
   * Wants gradients of the model's own parameters. This changes the model that was passed; nothing
   * else here does.
   */
  enableModelGradients(): void {
    this.model.requiresGrad(true);
  }

  /**
   * Wants no gradients of the model's own parameters, which are then constants in training. This
   * changes the model that was passed; nothing else here does.
   */
  disableModelGradients(): void {
    this.model.requiresGrad(false);
  }

  /**
   * Always an error: weights would be left out of JSON without a word.
   * @throws InterventionError
   */
  toJSON(): never {
    fail(OP, "JSON cannot say a model; say model.config, and keep all of it with save(directory)");
  }

  /** Each intervention with its place, one a line. */
  override toString(): string {
    const lines = this.#targets.all.map(targetLine);
    return `IntervenableModel(${this.model.constructor.name}, ${this.mode})\n${lines.join("\n")}`;
  }
}

function requireModel(config: unknown, model: unknown): void {
  if (config instanceof Module) {
    fail(OP, "the model comes second: new IntervenableModel(configuration, model)");
  }
  if (isPromise(config)) fail(OP, `the configuration is ${describeValue(config)}`);
  if (model instanceof Module) return;
  fail(OP, `the second argument must be a model (a Module), got ${describeValue(model)}`);
}

/** Inputs are tensors: ids and texts must become some, and promises must be awaited. */
function requireInputs(name: string, inputs: unknown): void {
  const parts = typeof inputs === "object" && inputs !== null ? Object.entries(inputs) : [];
  const awaited = parts.find(([, part]) => isPromise(part));
  if (awaited !== undefined) fail(OP, `${name}: ${awaited[0]} is ${describeValue(awaited[1])}`);
  const isNumbers = Array.isArray(inputs) && inputs.some((entry) => typeof entry === "number");
  const isInputs = typeof inputs === "object" && inputs !== null && !isNumbers;
  if (isInputs && !isPromise(inputs)) return;
  const wanted = "what the model's forward takes";
  fail(OP, `${name} must be ${wanted}, got ${describeValue(inputs)}; ${INPUTS_ADVICE}`);
}

function targetLine(target: Target | WaitingTarget): string {
  const { name, intervention, site, group } = target;
  const learned = intervention?.trainable === true ? ", to be learned" : "";
  const what =
    intervention === undefined
      ? `${target.kind}(as wide as what it will work on)`
      : `${intervention.constructor.name}(${intervention.describe()})`;
  return `  ${name}: ${what} at ${site.path}.${site.side}, group ${group}${learned}`;
}

function withLabels(base: unknown, labels: Tensor): unknown {
  if (!(labels instanceof Tensor)) {
    fail(OP, `labels must be a Tensor, got ${describeValue(labels)}; write tensor(labels)`);
  }
  if (base instanceof Tensor || typeof base !== "object" || base === null) {
    fail(OP, "labels need a base that is an object of inputs");
  }
  return { ...base, labels };
}

/** The token that a model's rows are padded with, where its settings say it. */
function padTokenOf(model: Module): { readonly padTokenId?: number } {
  const { config } = model as { readonly config?: { readonly padTokenId?: unknown } };
  return typeof config?.padTokenId === "number" ? { padTokenId: config.padTokenId } : {};
}
