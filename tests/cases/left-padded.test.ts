import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  IntervenableModel,
  type Tensor,
  tensor,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";

const CASE = fileURLToPath(new URL("01-left-padded-forward/", import.meta.url));

interface Recorded {
  readonly alone: number[];
  readonly edited_alone: number[];
  readonly fixed: number[][];
  readonly edited_fixed: number[][];
}

type Case = Readonly<Record<string, Recorded>> & Record<"short" | "long", number[]>;

const recorded = JSON.parse(await readFile(`${CASE}case.json`, "utf8")) as Case;

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });

const PADDED = {
  inputIds: int64([[0, 0, ...recorded.short], recorded.long]),
  attentionMask: int64([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]), // prettier-ignore
};
const POSITIONS = { positionIds: int64([[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]) }; // prettier-ignore

async function expectLast(logits: Tensor, wanted: number[][]): Promise<void> {
  const gap = logits.select(1, -1).sub(tensor(wanted)).abs().amax();
  expect(await gap.item()).toBeLessThan(1e-5);
}

describe.each(["gpt2", "llama"])("%s", (name) => {
  const { alone, fixed, edited_alone: editedAlone, edited_fixed: edited } = recorded[name] as Recorded; // prettier-ignore
  const load = (): Promise<CausalLanguageModel> =>
    AutoModelForCausalLM.fromPretrained(CASE + name);

  test("reads left-padded rows as transformers does with the positions of the tokens", async () => {
    const model = await load();
    await expectLast(model.forward({ inputIds: int64([recorded.short]) }).logits, [alone]);
    await expectLast(model.forward(PADDED).logits, fixed);
    await expectLast(model.forward({ ...PADDED, ...POSITIONS }).logits, fixed);
  });

  test.each(["last", -1, 4] as const)("is edited there at %s", async (base) => {
    const model = await load();
    const steered = new IntervenableModel<CausalLanguageModel>(
      { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
      model,
    );
    const run = (inputs: typeof PADDED): Tensor =>
      (steered.forward(inputs, { unitLocations: { base } }).intervened as { logits: Tensor })
        .logits;
    await expectLast(run(PADDED), edited);
    await expectLast(run({ ...PADDED, ...POSITIONS }), edited);
    await expectLast(run(PADDED).slice(0, 0, 1), [editedAlone]);
  });
});
