import {
  CollectIntervention,
  GPT2LMHeadModel,
  IntervenableModel,
  manualSeed,
  type Tensor,
  tensor,
  ZeroIntervention,
} from "tsvene";
import { expect, test, vi } from "vitest";

manualSeed(4);
const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 20 }).eval();
const ids = (...row: number[]): { readonly inputIds: Tensor } => ({
  inputIds: tensor([row], { dtype: "int64" }),
});
const steering = (): IntervenableModel<GPT2LMHeadModel> =>
  new IntervenableModel<GPT2LMHeadModel>(
    { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
    gpt2,
  );

test("a cache of the same interventions is gone on from as if all were read at once", async () => {
  const model = steering();
  const { pastKeyValues } = model.forward(ids(3, 1, 4)).intervened;
  const next = model.forward({ ...ids(5, 9), pastKeyValues }).intervened.logits;
  const whole = model.forward(ids(3, 1, 4, 5, 9)).intervened.logits.slice(1, 3);
  expect(await next.sub(whole).abs().amax().item()).toBeLessThan(1e-5);
});

test("a cache that was made otherwise is refused, or taken where that is meant", () => {
  const model = steering();
  const plain = gpt2.forward(ids(3, 1, 4)).pastKeyValues;
  const { original } = model.forward(ids(3, 1, 4));
  const other = steering().forward(ids(3, 1, 4)).intervened.pastKeyValues;
  for (const [pastKeyValues, said] of [
    [plain, /without interventions/],
    [original.pastKeyValues, /without interventions/],
    [other, /with other interventions/],
    [[...plain], /without interventions/],
  ] as const) {
    const base = { ...ids(5), pastKeyValues };
    expect(() => model.forward(base)).toThrow(said);
    expect(() => model.explain(base)).toThrow(said);
    expect(() => model.forward(base, { otherCache: true })).not.toThrow();
  }
});

test("what only collects takes a plain cache, and a plain pass says that its cache is steered", () => {
  const reading = new IntervenableModel<GPT2LMHeadModel>(
    { layer: 0, component: "mlp_output", intervention: CollectIntervention },
    gpt2,
  );
  const plain = gpt2.forward(ids(3, 1, 4)).pastKeyValues;
  expect(() => reading.forward({ ...ids(5), pastKeyValues: plain })).not.toThrow();
  const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  gpt2.forward({ ...ids(5), pastKeyValues: plain });
  expect(said).not.toHaveBeenCalled();
  const { pastKeyValues } = steering().forward(ids(3, 1, 4)).intervened;
  gpt2.forward({ ...ids(5), pastKeyValues });
  gpt2.forward({ ...ids(5), pastKeyValues });
  expect(said.mock.calls.flat().join()).toMatch(/cache was made with interventions/);
  expect(said).toHaveBeenCalledTimes(1);
  said.mockRestore();
});
