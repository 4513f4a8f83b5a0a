import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { CollectIntervention } from "../../interventions/collect.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { logitsOf } from "../../training/alignment/logits-of.ts";
import type {
  PromptInputs,
  PromptPart,
  PromptTokenizer,
} from "../../training/data/prompt-options.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { contrastPairs } from "../data/contrast-pairs.ts";
import { Effects } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import { sweep } from "../sweep/sweep.ts";
import { requireTokenizer } from "../data/text-data.ts";
import type { SweepOptions } from "../sweep/sweep-options.ts";

/** A prompt whose answer is traced: plain data. */
export interface TracedPrompt {
  /** The prompt. */
  readonly prompt: string;
  /** The part of it that is corrupted, such as the name of whom it is about. */
  readonly subject: string | PromptPart;
  /** What the model is asked about, `" Seattle"`: one token. @default what it thinks likeliest */
  readonly answer?: string;
}

/** What is restored, and how the subject is corrupted. */
export interface CausalTraceOptions extends Pick<
  SweepOptions,
  "memoryBudget" | "onProgress" | "signal"
> {
  /** What prompts are read with. */
  readonly tokenizer: PromptTokenizer;
  /**
   * Components that are restored. Of block outputs one layer is restored at a time, of others a window.
   * @default block_output, mlp_output and attention_output
   */
  readonly components?: readonly string[];
  /** Layers of a window. @default 10 of 48, as in the paper, and as large a part of other numbers */
  readonly window?: number;
  /**
   * Standard deviation of the noise on what enters the first layer. @default three times that of what
   * enters there at the subjects
   */
  readonly scale?: number;
  /** Runs with noise that each cell is the mean of. @default 10 */
  readonly draws?: number;
  /** Where the noise starts. @default 0 */
  readonly seed?: number;
}

const OP = "causalTrace";
const OPTIONS: OptionNames<CausalTraceOptions> = {
  tokenizer: true,
  components: true,
  window: true,
  scale: true,
  draws: true,
  seed: true,
  memoryBudget: true,
  onProgress: true,
  signal: true,
};
const COMPONENTS = ["block_output", "mlp_output", "attention_output"];
const WINDOW = 10 / 48;
const SIGMAS = 3;

/**
 * Causal tracing (Meng and others, 2022): the subject of a prompt is corrupted with noise, and one state
 * after the other is given back what it was; where the answer comes back, there its recall passes. The
 * metric is the probability of the answer, the mean over runs whose noise is the same in all cells.
 *
 * @param prompts - One prompt, or several of as many tokens with subjects of as many.
 * @returns By component, layer and position; `clean` is the probability without noise, `corrupt` that with
 * noise and nothing restored.
 * @throws TsveneError for a subject that is not in its prompt, and an answer that is more than one token.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, causalTrace } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const prompt = { prompt: "You can see the Eiffel Tower in", subject: "Eiffel Tower" };
 * const traced = await causalTrace(model, prompt, { tokenizer });
 * console.log(String(traced));
 * ```
 */
export async function causalTrace(
  model: Module,
  prompts: TracedPrompt | readonly TracedPrompt[],
  options: CausalTraceOptions,
): Promise<Effects> {
  requireKnownOptions(OP, options, OPTIONS);
  requireTokenizer(OP, options.tokenizer);
  const {
    tokenizer,
    components = COMPONENTS,
    window = windowOf(model),
    onProgress,
    ...how
  } = options;
  const { draws, seed, scale, ...run } = how;
  const pairs = await pairsOf(model, tokenizer, [prompts].flat());
  const corruption = {
    position: "subject",
    scale: scale ?? SIGMAS * (await spreadAtSubjects(model, pairs)),
    ...(draws !== undefined && { draws }),
    ...(seed !== undefined && { seed }),
  };
  const found: Effects[] = [];
  for (const component of components) {
    const effects = await sweep(
      model,
      pairs,
      {
        sites: { component, layer: "all", position: "all" },
        metric: "probability",
        window: component === "block_output" ? 1 : window,
        corruption,
      },
      {
        ...run,
        onProgress: (done, total) =>
          onProgress?.(found.length * total + done, components.length * total),
      },
    );
    found.push(effects);
  }
  return joined(components, found);
}

function windowOf(model: Module): number {
  return Math.max(1, Math.round(WINDOW * (cardOf(model)?.layers ?? 0)));
}

async function pairsOf(
  model: Module,
  tokenizer: PromptTokenizer,
  prompts: readonly TracedPrompt[],
): Promise<ContrastData<PromptInputs>> {
  const pairs: { clean: string; right: string | number; subject: string | PromptPart }[] = [];
  for (const { prompt, subject, answer } of prompts) {
    const right = answer ?? (await likeliest(model, tokenizer, prompt));
    pairs.push({ clean: prompt, right, subject });
  }
  return contrastPairs(
    tokenizer,
    pairs.map(({ clean, right }) => ({ clean, right })),
    { positions: { subject: (_, __, index) => pairs[index]?.subject ?? "" } },
  );
}

async function likeliest(
  model: Module,
  tokenizer: PromptTokenizer,
  prompt: string,
): Promise<number> {
  const data = contrastPairs(tokenizer, [{ clean: prompt, right: 0 }]);
  return logitsOf(OP, callModel(model, data.batch([0]).clean), {})
    .argmax(-1)
    .item();
}

/** Standard deviation of what enters the first layer at the subjects, over all of its numbers. */
async function spreadAtSubjects(model: Module, pairs: ContrastData): Promise<number> {
  const numbers = range(pairs.length);
  const entering = {
    layer: 0,
    component: "block_input",
    intervention: CollectIntervention,
  } as const;
  const base = numbers.map((index) => pairs.places?.("subject", index, "clean") ?? []);
  const { collected } = new IntervenableModel(entering, model).forward(pairs.batch(numbers).clean, {
    unitLocations: { base },
  });
  const [states] = collected;
  return states === undefined ? fail(OP, "nothing enters the first layer") : states.std().item();
}

/** Effects of several components as those of one grid. */
function joined(components: readonly string[], effects: readonly Effects[]): Effects {
  const [first] = effects;
  if (first === undefined) return fail(OP, "components is empty; name at least one");
  const axes = first.values.axes.filter(({ name }) => name !== "component");
  const values = new NamedArray({
    name: first.metric,
    axes: [{ name: "component", values: components }, ...axes],
    values: effects.flatMap((one) => [...one.values.values]),
  });
  const { direction, clean, corrupt, isShare } = first;
  return new Effects({ values, direction, clean, corrupt, isShare });
}
