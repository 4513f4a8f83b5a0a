import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AdditionIntervention,
  AutoencoderIntervention,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  fromPyveneLocations,
  GPT2LMHeadModel,
  IntervenableModel,
  type IntervenableConfigLike,
  JumpReLUAutoencoderIntervention,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  PCARotatedSpaceIntervention,
  randn,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  SkipIntervention,
  SubtractionIntervention,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "../models/checkpoints.ts";
import { askPython, missingFromPython } from "./python.ts";

const missing = await missingFromPython("torch", "transformers", "pyvene");

const WIDTH = 24;
const [base, source] = [[[3, 1, 4, 1, 5, 9]], [[2, 7, 1, 8, 2, 8]]];
const at = { layer: 1, component: "block_output" } as const;
const constant = (): ReturnType<typeof randn> => randn([WIDTH]);

/** One intervention with a source, or without, as pyvene calls it. */
const swapped = { sources: [source], unit_locations: { "sources->base": [[[[3]]], [[[2]]]] } };
const alone = { sources: null, unit_locations: { base: [[[2]]] } };

interface Trial {
  readonly config: IntervenableConfigLike;
  readonly call: {
    readonly sources: readonly (number[][] | null)[] | null;
    readonly unit_locations: Readonly<Record<string, unknown>>;
  };
  readonly subspaces?: readonly (readonly (readonly number[])[])[];
  /** What pyvene says of what it cannot load. */
  readonly fails?: RegExp;
}

const trials: Readonly<Record<string, Trial>> = {
  VanillaIntervention: { config: { ...at, intervention: VanillaIntervention.with({ interchangeDim: 7 }) }, call: swapped },
  AdditionIntervention: { config: { ...at, intervention: AdditionIntervention }, call: swapped },
  SubtractionIntervention: { config: { ...at, intervention: SubtractionIntervention }, call: swapped },
  "AdditionIntervention of a constant": { config: { ...at, intervention: AdditionIntervention.with({ sourceRepresentation: constant() }) }, call: alone },
  "SubtractionIntervention at a module path": { config: { component: "transformer.h[1].mlp.output", intervention: new SubtractionIntervention({ sourceRepresentation: constant() }) }, call: alone },
  ZeroIntervention: { config: { ...at, intervention: ZeroIntervention }, call: alone },
  SkipIntervention: { config: { ...at, intervention: SkipIntervention }, call: swapped },
  RotatedSpaceIntervention: { config: { ...at, intervention: RotatedSpaceIntervention.with({ interchangeDim: 5 }) }, call: swapped },
  "RotatedSpaceIntervention with parts": { config: { ...at, intervention: RotatedSpaceIntervention.with({ subspacePartition: [{ from: 0, to: 8 }, { from: 8, to: WIDTH }] }) }, call: swapped, subspaces: [[[1]]] },
  LowRankRotatedSpaceIntervention: { config: { ...at, intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 3 }) }, call: swapped },
  BoundlessRotatedSpaceIntervention: { config: { ...at, intervention: BoundlessRotatedSpaceIntervention }, call: swapped },
  SigmoidMaskRotatedSpaceIntervention: { config: { ...at, intervention: SigmoidMaskRotatedSpaceIntervention }, call: swapped },
  SigmoidMaskIntervention: { config: { ...at, intervention: SigmoidMaskIntervention }, call: swapped },
  AutoencoderIntervention: { config: { ...at, intervention: AutoencoderIntervention.with({ latentDim: 30, interchangeDim: 4 }) }, call: swapped },
  JumpReLUAutoencoderIntervention: { config: { ...at, intervention: JumpReLUAutoencoderIntervention.with({ latentDim: 40 }) }, call: swapped },
  "two, linked, in one group": {
    config: [1, 2].map((layer) => ({ layer, component: "mlp_output", groupKey: 0, interventionLinkKey: layer, intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) })),
    call: { sources: [source], unit_locations: { "sources->base": [[[[3]], [[1]]], [[[2]], [[4]]]] } },
  },
  "two in series": {
    config: { mode: "serial", representations: [{ layer: 0, intervention: VanillaIntervention }, { layer: 2, intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) }] },
    call: { sources: [source, [[9, 9, 8, 8, 7, 7]]], unit_locations: { "source_0->source_1": [[[[1]]], [[[1]]]], "source_1->base": [[[[3]]], [[[4]]]] } },
  },
  "heads at positions": {
    config: { layer: 1, component: "head_attention_value_output", unit: "h.pos", intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) },
    call: { sources: [source], unit_locations: { "sources->base": [[[[[2]], [[1]]]], [[[[0]], [[2]]]]] } },
  },
  CollectIntervention: { config: { ...at, intervention: CollectIntervention }, call: alone, fails: /FileNotFoundError/ },
  NoiseIntervention: { config: { ...at, intervention: NoiseIntervention }, call: alone, fails: /FileNotFoundError/ },
  PCARotatedSpaceIntervention: {
    config: { ...at, intervention: PCARotatedSpaceIntervention.with({ components: randn([4, WIDTH]), mean: constant(), std: constant().abs() }) },
    call: swapped,
    fails: /TypeError|KeyError|missing/,
  },
}; // prettier-ignore

/** Numbers that tell a wrong reading from a right one. */
function perturb(model: IntervenableModel<GPT2LMHeadModel>): void {
  for (const [, intervention] of model.interventions) {
    for (const parameter of intervention.parameters()) {
      // Diagonals of rotations of low rank are signs, which stay.
      const change = randn(parameter.shape).mul(0.1);
      const moved = parameter.shape.length === 2 ? change.tril(-1) : change;
      parameter.set(parameter.value.add(moved).detach());
    }
    if (intervention.temperature !== undefined) intervention.setTemperature(3.5);
  }
}

describe.skipIf(missing !== undefined)(`pyvene${missing ? ` (skipped: ${missing})` : ""}`, () => {
  test("loads what is saved here, and computes the same", async () => {
    const gpt2 = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
    const ids = (rows: readonly (readonly number[])[]) => ({ inputIds: tensor(rows as number[][], { dtype: "int64" }) }); // prettier-ignore
    const jobs: object[] = [];
    const wanted: (Float32Array | undefined)[] = [];
    for (const { config, call, subspaces = null, fails } of Object.values(trials)) {
      const model = new IntervenableModel<GPT2LMHeadModel>(config as never, gpt2);
      perturb(model);
      const saved = await temporaryDirectory();
      await model.save(saved);
      jobs.push({ model: golden("gpt2"), saved, base, ...call, subspaces });
      if (fails !== undefined) {
        wanted.push(undefined);
        continue;
      }
      const { intervened } = model.forward(ids(base), {
        ...(call.sources === null
          ? {}
          : { sources: call.sources.map((s) => (s === null ? s : ids(s))) }),
        unitLocations: fromPyveneLocations(call.unit_locations),
        ...(subspaces === null ? {} : { subspaces: { each: subspaces } }),
      });
      wanted.push((await intervened.logits.data()) as Float32Array);
    }
    const path = join(await temporaryDirectory(), "jobs.json");
    await writeFile(path, JSON.stringify(jobs));
    const found = (await askPython("run_pyvene.py", path)) as (number[] | { error: string })[];
    for (const [i, [name, { fails }]] of Object.entries(trials).entries()) {
      const [numbers, own] = [found[i], wanted[i]];
      if (fails !== undefined) {
        expect(numbers, name).toEqual({ error: expect.stringMatching(fails) });
        continue;
      }
      if (!Array.isArray(numbers)) throw new Error(`${name}: ${JSON.stringify(numbers)}`);
      const worst = Math.max(...numbers.map((value, k) => Math.abs(value - (own?.[k] ?? NaN))));
      expect(worst, name).toBeLessThan(5e-5);
    }
  }, 240_000);
});
