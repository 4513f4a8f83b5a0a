import type { ModelConfig } from "../settings/config.ts";
import type {
  GenerateInputs,
  GenerateOptions,
  GenerateOutput,
  GenerateStep,
  PromptImages,
} from "../generation/options.ts";
import { planGeneration } from "../generation/plan.ts";
import type { Timestamps } from "../generation/processors/timestamps.ts";
import type { CausalLMInputs, CausalLMOutput } from "../parts/outputs.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PreTrainedModel } from "./pretrained-model.ts";

/** What writes is loaded by pages that write, when they first do. */
const loadDecoding = () => import("../generation/decode.ts");

/** Base of all models that give the logits of the next token: they can write. */
export abstract class CausalLanguageModel extends PreTrainedModel {
  /** The auto class that finds the models of a family. */
  static readonly auto = "AutoModelForCausalLM";

  /** Longest sequence; undefined where there is no bound. */
  abstract get maxLength(): number | undefined;

  /**
   * Which images `forward` takes: those of the `"prompt"` are read with it, and kept in the cache like
   * its tokens; others are given with later tokens `"too"`.
   */
  get imageInputs(): { readonly [K in keyof PromptImages]?: "prompt" | "too" } {
    return {};
  }

  /** How many token ids it reads, if it says so: some are only read, and never written. */
  get idCount(): number | undefined {
    const { vocabSize }: ModelConfig = this.config;
    return vocabSize;
  }

  /**
   * Whether what is kept of a text of `before` tokens is of no use at `after` tokens, so that the whole
   * text is read again: where rotary frequencies depend on the length.
   */
  changesAt(_before: number, _after: number): boolean {
    return false;
  }

  /** What the text is written from: its prompt, or what an encoder read, [batch, length], if tokens. */
  get sourceIds(): Tensor | "prompt" | undefined {
    return "prompt";
  }

  /** How times are written, where the model writes any. */
  get timestampTokens(): Timestamps | undefined {
    return undefined;
  }

  /** What is kept of tokens that were read is the family's own affair. */
  abstract override forward(inputs: CausalLMInputs<unknown>): CausalLMOutput<unknown>;

  /**
   * Continues prompts, all rows of the batch at once, until each has a stop token or the greatest
   * length is reached. Options have Hugging Face's meanings; the likeliest token is taken unless
   * `doSample` is given.
   *
   * @throws ModelError, before anything is computed, for an empty prompt, ids outside the
   * vocabulary, padding on the right, a text longer than the model's positions, and options that
   * cannot be.
   *
   * @example
   * ```ts no-run
   * import { AutoModelForCausalLM, AutoTokenizer } from "tsvene";
   * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
   * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
   * const prompt = tokenizer.tokenize("The capital of Spain is");
   * const { sequences } = await model.generate(prompt, { maxNewTokens: 3 });
   * ```
   */
  async generate(inputs: GenerateInputs, options: GenerateOptions = {}): Promise<GenerateOutput> {
    const plan = await planGeneration(this, inputs, options);
    if (plan.beams !== undefined) {
      // Loaded by pages that ask for beams only.
      const { BeamSearch } = await import("../generation/beam-search.ts");
      return new BeamSearch(this, plan, plan.beams).run();
    }
    const { Decoding } = await loadDecoding();
    const decoding = new Decoding(this, plan);
    const steps: GenerateStep[] = [];
    for await (const step of decoding.steps()) steps.push(step);
    const logits = steps.flatMap((step) => step.logits ?? []);
    const scores = steps.flatMap((step) => step.scores ?? []);
    return {
      sequences: decoding.sequences,
      ...(plan.output.logits ? { logits } : {}),
      ...(plan.output.scores ? { scores } : {}),
    };
  }

  /**
   * As {@link generate}, token by token. A loop that is left early computes no further token.
   *
   * @example
   * ```ts no-run
   * import { AutoModelForCausalLM, AutoTokenizer } from "tsvene";
   * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
   * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
   * for await (const { tokens } of model.stream(tokenizer.tokenize("Once upon a time"))) {
   *   process.stdout.write(tokenizer.decode(tokens));
   * }
   * ```
   */
  async *stream(
    inputs: GenerateInputs,
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerateStep> {
    const plan = await planGeneration(this, inputs, options);
    const { Decoding } = await loadDecoding();
    yield* new Decoding(this, plan).steps();
  }
}
