import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AdditionIntervention,
  AutoencoderIntervention,
  AutoModelForCausalLM,
  BoundlessRotatedSpaceIntervention,
  CollectIntervention,
  evaluate,
  GPT2LMHeadModel,
  IntervenableModel,
  type IntervenableConfigLike,
  Intervention,
  type InterventionOptions,
  JumpReLUAutoencoderIntervention,
  Linear,
  LowRankRotatedSpaceIntervention,
  Module,
  NoiseIntervention,
  Parameter,
  PCARotatedSpaceIntervention,
  randn,
  registerIntervention,
  RotatedSpaceIntervention,
  SigmoidMaskIntervention,
  SigmoidMaskRotatedSpaceIntervention,
  SkipIntervention,
  SubtractionIntervention,
  type Tensor,
  tensor,
  TrainableIntervention,
  type TypedArray,
  VanillaIntervention,
  widthOf,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test, vi } from "vitest";
import { temporaryDirectory } from "../../models/checkpoints.ts";

const WIDTH = 16;
const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: WIDTH, nHead: 2, vocabSize: 50 }).eval();

interface ScaleOptions extends InterventionOptions {
  readonly strength: number;
  readonly names: readonly string[];
  readonly limits?: { readonly low: number; readonly high?: number };
  readonly direction?: Tensor;
}

/** A class of one's own, with options, a parameter and a list of tensors. */
class Scale extends TrainableIntervention {
  static override readonly optionNames = {
    ...Intervention.optionNames,
    strength: true,
    names: true,
    limits: true,
    direction: true,
  } as const;
  override readonly sourceUse = "none";
  readonly options: ScaleOptions;
  readonly shift: Parameter;

  constructor(options: ScaleOptions) {
    super(options);
    this.options = options;
    this.shift = new Parameter(randn([widthOf("Scale", options)]));
  }

  override forward(base: Tensor): Tensor {
    return base.mul(this.options.strength).add(this.shift.value);
  }
}
registerIntervention(Scale);

const at = { layer: 1, component: "mlp_output" } as const;
const matrices = {
  components: randn([5, WIDTH]),
  mean: randn([WIDTH]),
  std: randn([WIDTH]).abs().add(0.5),
};
await evaluate(...Object.values(matrices));

const shared = new LowRankRotatedSpaceIntervention({ embedDim: WIDTH, lowRankDimension: 3 });

const configs: Readonly<Record<string, IntervenableConfigLike>> = {
  vanilla: { ...at, intervention: VanillaIntervention.with({ interchangeDim: [3, 1] }) },
  addition: { ...at, intervention: AdditionIntervention },
  "addition of a constant": {
    ...at,
    intervention: AdditionIntervention.with({ sourceRepresentation: randn([WIDTH]) }),
  },
  "subtraction of a constant in bfloat16": {
    ...at,
    intervention: new SubtractionIntervention({
      sourceRepresentation: randn([WIDTH]).to("bfloat16"),
    }),
  },
  zero: { ...at, unit: "pos", maxNumberOfUnits: 2, intervention: ZeroIntervention },
  collect: { ...at, intervention: CollectIntervention.with({ interchangeDim: 4 }) },
  skip: { ...at, intervention: SkipIntervention },
  noise: { ...at, intervention: NoiseIntervention.with({ noiseLevel: 0.25, seed: 7 }) },
  "noise of one's own": {
    ...at,
    intervention: new NoiseIntervention({ noise: randn([1, 2, WIDTH]) }),
  },
  rotated: {
    ...at,
    intervention: RotatedSpaceIntervention.with({
      subspacePartition: [{ from: 0, to: 4 }, [5, 9]],
    }),
  },
  "low rank": {
    ...at,
    intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 3 }),
  },
  boundless: { ...at, intervention: BoundlessRotatedSpaceIntervention },
  "masks over a rotation": { ...at, intervention: SigmoidMaskRotatedSpaceIntervention },
  masks: { ...at, maxNumberOfUnits: 2, intervention: SigmoidMaskIntervention },
  "principal components": { ...at, intervention: new PCARotatedSpaceIntervention(matrices) },
  "principal components of a class": {
    ...at,
    intervention: PCARotatedSpaceIntervention.with({ ...matrices, interchangeDim: 2 }),
  },
  autoencoder: { ...at, intervention: AutoencoderIntervention.with({ latentDim: 20 }) },
  "sparse autoencoder": {
    ...at,
    intervention: JumpReLUAutoencoderIntervention.with({ latentDim: 20, errorTerm: true }),
  },
  "a class of one's own": {
    ...at,
    intervention: Scale.with({
      strength: -0,
      names: ["a", "b.c"],
      limits: { low: -Infinity },
      direction: randn([2, 3]),
    }),
  },
  heads: {
    layer: 0,
    component: "head_attention_value_output",
    unit: "h.pos",
    maxNumberOfUnits: 2,
    intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
  },
  "module paths, groups, links and names": {
    mode: "parallel",
    representations: [
      { name: "first", component: "transformer.h[0].mlp.output", groupKey: 0, interventionLinkKey: "a", intervention: RotatedSpaceIntervention },
      { component: "transformer.h[0].output", groupKey: 0, interventionLinkKey: "a", intervention: RotatedSpaceIntervention },
      { name: "third", ...at, groupKey: 1, intervention: VanillaIntervention },
    ],
  }, // prettier-ignore
  "one intervention at two places": [
    { ...at, intervention: shared },
    { layer: 2, intervention: shared },
  ],
  "a source from elsewhere, in series": {
    mode: "serial",
    representations: [
      { ...at, source: { layer: 0, component: "block_output" }, intervention: VanillaIntervention },
      { layer: 2, intervention: AdditionIntervention },
    ],
  },
};

function hex(values: TypedArray | undefined): string | undefined {
  return values && Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");
}

/** Everything that a model with interventions is made of, to the bit. */
async function portrait(model: IntervenableModel): Promise<unknown> {
  const states = [...model.interventions].map(async ([name, intervention]) => {
    const state = intervention.stateDict();
    await evaluate(...Object.values(state));
    const tensors = Object.entries(state).map(([key, { dtype, shape, values }]) => [
      key,
      dtype,
      shape,
      hex(values),
    ]);
    const trained = [...intervention.namedParameters()].filter(([, p]) => p.requiresGrad);
    return [name, intervention.constructor.name, intervention.describe(), tensors, trained.map(([key]) => key)]; // prettier-ignore
  });
  return { config: String(model.config), text: String(model), states: await Promise.all(states) };
}

/** Moves everything that can be moved away from how it was made. */
function perturb(model: IntervenableModel): void {
  for (const [, intervention] of model.interventions) {
    for (const parameter of intervention.parameters()) {
      const moved = parameter.value.add(randn(parameter.shape).mul(0.1));
      parameter.set(moved.detach());
    }
    if (intervention.temperature !== undefined) intervention.setTemperature(3.5);
  }
  const [[, first] = []] = [...model.interventions];
  const [parameter] = first?.parameters() ?? [];
  if (parameter !== undefined) parameter.requiresGrad = false;
}

test.each(Object.keys(configs))("%s is the same to the bit after it was saved", async (name) => {
  const config = configs[name];
  if (config === undefined) throw new Error("there is a configuration for each name");
  const model: IntervenableModel = new IntervenableModel<typeof gpt2>(config as never, gpt2);
  perturb(model);
  const directory = await temporaryDirectory();
  await model.save(directory);
  const loaded: IntervenableModel = await IntervenableModel.load(directory, gpt2);
  expect(await portrait(loaded)).toEqual(await portrait(model));
  const again = await temporaryDirectory();
  await loaded.save(again);
  for (const file of await readdir(directory)) {
    expect(await readFile(join(again, file)), file).toEqual(await readFile(join(directory, file)));
  }
});

test("parameters in 16 bits stay in them", async () => {
  const model = new IntervenableModel({ ...at, intervention: shared }, gpt2);
  const low = new LowRankRotatedSpaceIntervention({ embedDim: WIDTH, lowRankDimension: 3 });
  const kept = new IntervenableModel({ ...at, intervention: low.to("bfloat16") }, gpt2);
  for (const one of [model, kept]) {
    const directory = await temporaryDirectory();
    await one.save(directory);
    const loaded = await IntervenableModel.load(directory, gpt2);
    expect(await portrait(loaded)).toEqual(await portrait(one));
  }
});

test("one intervention at two places is one again", async () => {
  const config = [{ ...at, intervention: shared }, { layer: 2, intervention: shared }]; // prettier-ignore
  const directory = await temporaryDirectory();
  await new IntervenableModel(config, gpt2).save(directory);
  const { interventions } = await IntervenableModel.load(directory, gpt2);
  const [first, second] = [...interventions].map(([, intervention]) => intervention);
  expect(first).toBe(second);
  expect(first).not.toBe(shared);
});

class Act extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

class Net extends Module {
  readonly up = new Linear(4, 8);
  readonly act = new Act();
  override forward(x: Tensor): Tensor {
    return this.act.forward(this.up.forward(x));
  }
}

test("a width that only a trace says is kept", async () => {
  const config = { component: "act.output", intervention: RotatedSpaceIntervention };
  const model = new IntervenableModel<Net>(config, new Net());
  const directory = await temporaryDirectory();
  await expect(model.save(directory)).rejects.toThrow("call inferWidths(base) first");
  expect(await readdir(directory)).toEqual([]);
  model.inferWidths(randn([1, 3, 4]));
  await model.save(directory);
  const loaded = await IntervenableModel.load(directory, new Net());
  expect(await portrait(loaded)).toEqual(await portrait(model));
});

describe("a model that is saved too", () => {
  const inputs = { inputIds: tensor([[3, 1, 4]], { dtype: "int64" }) };
  const config = {
    ...at,
    intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
  };

  test("is made again of its class, or gives another one its weights", async () => {
    const model = new IntervenableModel(config, gpt2);
    const directory = await temporaryDirectory();
    await model.save(directory, { includeModel: true });
    const loaded = await IntervenableModel.load(directory, GPT2LMHeadModel);
    const other = new GPT2LMHeadModel({ nLayer: 3, nEmbd: WIDTH, nHead: 2, vocabSize: 50 }).eval();
    await IntervenableModel.load(directory, other, { includeModel: true });
    const wanted = await gpt2.forward(inputs).logits.data();
    expect(await loaded.model.forward(inputs).logits.data()).toEqual(wanted);
    expect(await other.forward(inputs).logits.data()).toEqual(wanted);
    expect(loaded.model).not.toBe(gpt2);
    const auto = await IntervenableModel.load(directory, AutoModelForCausalLM);
    expect(await auto.model.forward(inputs).logits.data()).toEqual(wanted);
  });

  test("is asked for where it was not", async () => {
    const directory = await temporaryDirectory();
    await new IntervenableModel(config, gpt2).save(directory);
    await expect(IntervenableModel.load(directory, GPT2LMHeadModel)).rejects.toThrow(
      "there is no model in it (model_config.json), so pass one",
    );
  });
});

describe("parameters alone", () => {
  const config = [
    { ...at, intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }) },
    { layer: 2, intervention: ZeroIntervention },
  ];

  test("go from one model with interventions to another", async () => {
    const [model, other] = [
      new IntervenableModel(config, gpt2),
      new IntervenableModel(config, gpt2),
    ];
    const directory = await temporaryDirectory();
    await model.saveIntervention(directory);
    expect(await readdir(directory)).toEqual([
      "intkey_layer_1_comp_mlp_output_unit_pos_nunit_1#0.bin",
    ]);
    await other.loadIntervention(directory);
    expect(await portrait(other)).toEqual(await portrait(model));
    await other.loadIntervention(directory, { names: ["layer 1 mlp_output"] });
    const unknown = other.loadIntervention(directory, { names: ["layer 1 mlp"] });
    await expect(unknown).rejects.toThrow('there is no intervention "layer 1 mlp"');
  });

  test("that do not fit change nothing", async () => {
    const model = new IntervenableModel(config, gpt2);
    const directory = await temporaryDirectory();
    await model.saveIntervention(directory);
    const wider = new IntervenableModel(
      { ...at, intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 3 }) },
      gpt2,
    );
    const before = await portrait(wider);
    await expect(wider.loadIntervention(directory)).rejects.toThrow(
      "has shape [16, 2], wanted [16, 3]",
    );
    expect(await portrait(wider)).toEqual(before);
  });
});

test("what pyvene wrote into the directory since is not mixed with what tsvene did", async () => {
  const directory = await temporaryDirectory();
  await new IntervenableModel({ ...at, intervention: ZeroIntervention }, gpt2).save(directory);
  await writeFile(join(directory, "config.json"), "{}\n");
  await expect(IntervenableModel.load(directory, gpt2)).rejects.toThrow(
    "config.json is not the file that tsvene.json was written with",
  );
});

test("what Python would compute otherwise is said", async () => {
  const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const directory = await temporaryDirectory();
  const saveAs = (name: string, options: object) =>
    new IntervenableModel(
      {
        name,
        layer: 1,
        intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 8, ...options }),
      },
      gpt2,
    ).save(join(directory, name));
  await saveAs("whole", { subspacePartition: [{ from: 0, to: 4 }, [4, 5], [6, 7]] });
  expect(said).not.toHaveBeenCalled();
  await saveAs("apart", {
    subspacePartition: [
      [0, 1, 2, 4, 5, 6],
      [3, 7],
    ],
  });
  expect(String(said.mock.calls)).toContain(
    'cannot be told parts of two directions in subspacePartition of "apart"',
  );
  said.mockRestore();
});
