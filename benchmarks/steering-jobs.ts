import {
  AdditionIntervention,
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type GenerateOptions,
  Generator,
  IntervenableModel,
  randn,
  type Tensor,
  tensor,
} from "tsvene";
import type { Job } from "./job.ts";

const [LAYERS, WIDTH, NEW_TOKENS] = [5, 112, 60];
const PROMPT = [3, 14, 15, 92, 65, 35, 89, 79];

let loaded: Promise<CausalLanguageModel> | undefined;

function mini(): Promise<CausalLanguageModel> {
  loaded ??= AutoModelForCausalLM.fromPretrained("tsvene-mini");
  return loaded;
}

/** What is added in a step. */
type Schedule = (vector: Tensor) => Tensor | ((step: number) => Tensor);

/** A text of the model that ships with the package, steered, beside the same model's plain text. */
function steering(
  name: string,
  layers: readonly number[],
  ways: GenerateOptions,
  schedule: Schedule = (v) => v,
): Job {
  // prettier-ignore
  return {
    name,
    tokens: NEW_TOKENS,
    async prepare() {
      const model = await mini();
      const steered = new IntervenableModel<CausalLanguageModel>(
        layers.map((layer) => ({
          layer,
          component: "mlp_output",
          intervention: AdditionIntervention,
        })),
        model,
      );
      const vector = randn([WIDTH], { generator: new Generator(1) }).mul(0.1);
      await vector.data();
      const inputIds = tensor([PROMPT], { dtype: "int64" });
      const options = { maxNewTokens: NEW_TOKENS, eosTokenId: null, ...ways };
      const sourceRepresentations = schedule(vector);
      return {
        run: () => steered.generate({ inputIds }, { ...options, sourceRepresentations }),
        beside: () => model.generate({ inputIds }, options),
        other: "its plain text",
      };
    },
  };
}

const everyMlp = Array.from({ length: LAYERS }, (_, layer) => layer);

/** Steered texts, in turn with plain ones. */
export const steeringJobs: readonly Job[] = [
  steering("steer_mini_one_60", [2], {}),
  steering("steer_mini_every_mlp_60", everyMlp, {}),
  steering("steer_mini_schedule_60", everyMlp, {}, (v) => (step) => v.mul(1 / step)),
  steering("steer_mini_sampled_60", everyMlp, { doSample: true, seed: 1 }),
  steering("steer_mini_beams_60", everyMlp, { numBeams: 4 }),
];
