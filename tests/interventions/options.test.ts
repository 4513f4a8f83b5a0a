import { describe, expect, test } from "vitest";
import {
  CollectIntervention,
  IntervenableConfig,
  type IntervenableConfigLike,
  IntervenableModel,
  Intervention,
  type InterventionOptions,
  LowRankRotatedSpaceIntervention,
  NoiseIntervention,
  registerIntervention,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
  zeros,
  type GPT2Component,
} from "tsvene";
import { tinyGpt2 } from "./tiny-gpt2.ts";

interface ScaleOptions extends InterventionOptions {
  readonly factor: number;
}

class Scale extends Intervention {
  static override readonly optionNames = { ...Intervention.optionNames, factor: true } as const;
  override readonly sourceUse = "none";
  readonly factor: number;
  constructor(options: ScaleOptions) {
    super(options);
    this.factor = options.factor;
  }
  override forward(base: Tensor): Tensor {
    return base.mul(this.factor);
  }
}

class Shift extends Intervention {
  override readonly sourceUse = "none";
  readonly by: number;
  constructor(options: InterventionOptions & { readonly by: number }) {
    super(options);
    this.by = options.by;
  }
  override forward(base: Tensor): Tensor {
    return base.add(this.by);
  }
}

const model = tinyGpt2();
const base = { inputIds: tensor([[3, 1, 4, 1]], { dtype: "int64" }) };

/** What a configuration becomes that is written as JSON and read. */
function reread(config: unknown): IntervenableConfigLike<GPT2Component> {
  return JSON.parse(JSON.stringify(config)) as IntervenableConfigLike<GPT2Component>;
}

async function logitsOf(config: IntervenableConfigLike<GPT2Component>): Promise<number[]> {
  const { intervened } = new IntervenableModel(config, model).forward(base);
  return Array.from(await intervened.logits.data(), Number);
}

describe("options of a class", () => {
  test("reach its constructor, and each place has an intervention of its own", () => {
    const intervention = NoiseIntervention.with({ noiseLevel: 0.2, seed: 7 });
    const places = [0, 1].map((layer) => ({ layer, intervention }));
    const built = new IntervenableModel(places, model);
    const [one, two] = [...built.interventions].map(([, own]) => own);
    expect(one).not.toBe(two);
    expect(String(one)).toContain("noiseLevel=0.2, seed=7");
    expect(one?.embedDim).toBe(24);
    expect(String(intervention)).toBe("NoiseIntervention(noiseLevel=0.2, seed=7)");
  });

  test("of a class of one's own do what an instance does", async () => {
    const at = { layer: 1, component: "mlp_output" } as const;
    const named = await logitsOf({ ...at, intervention: Scale.with({ factor: 0.5 }) });
    const instance = await logitsOf({ ...at, intervention: new Scale({ factor: 0.5 }) });
    expect(named).toStrictEqual(instance);
  });

  test("of another class do not compile, and are refused", () => {
    // @ts-expect-error an option of a low-rank rotation
    expect(() => VanillaIntervention.with({ lowRankDimension: 4 })).toThrow(
      /VanillaIntervention: there is no option lowRankDimension; did you mean/,
    );
    // @ts-expect-error a misspelt option
    expect(() => new NoiseIntervention({ noiseLevle: 1 })).toThrow(/did you mean noiseLevel/);
    // @ts-expect-error an option of a class of one's own
    expect(() => Scale.with({ factr: 2 })).toThrow(/Scale: there is no option factr.*factor/);
    const needy = { intervention: LowRankRotatedSpaceIntervention };
    // @ts-expect-error an option that the class needs
    expect(() => new IntervenableModel(needy, model)).toThrow(/lowRankDimension must be a whole/);
  });

  test("that a class does not list are refused, with what to write", () => {
    expect(() => Shift.with({ by: 2 })).toThrow(
      /Shift: there is no option by; .*static override readonly optionNames = {/,
    );
  });
});

describe("JSON", () => {
  test("has classes by name, in plain objects and in configurations", async () => {
    registerIntervention(Scale);
    const at = { layer: 1, component: "mlp_output" } as const;
    for (const intervention of [
      ZeroIntervention,
      NoiseIntervention.with({ noiseLevel: 0.2, seed: 7 }),
      Scale.with({ factor: 0.5 }),
    ]) {
      const config = { ...at, intervention };
      const wanted = await logitsOf(config);
      expect(await logitsOf(reread(config))).toStrictEqual(wanted);
      expect(await logitsOf(reread(new IntervenableConfig(config)))).toStrictEqual(wanted);
    }
  });

  test("has an intervention that was not said", () => {
    expect(JSON.stringify(new IntervenableConfig({ layer: 1 }))).toContain("VanillaIntervention");
  });

  test("has a class under the name that it was registered with", () => {
    class Twice extends CollectIntervention {}
    registerIntervention(Twice, "tests/Twice");
    expect(JSON.stringify({ intervention: Twice })).toBe('{"intervention":"tests/Twice"}');
    expect(() => registerIntervention(Twice, "Scale")).toThrow(/another class is called Scale/);
    expect(() => registerIntervention({} as typeof Twice)).toThrow(/expected a class/);
  });

  test("refuses an unknown name, and says how to register one", () => {
    expect(() => new IntervenableConfig({ intervention: "Shift" })).toThrow(
      /representation 0: there is no intervention "Shift"; .*registerIntervention\(Halve\)/,
    );
  });

  test("refuses what it cannot say", () => {
    const written = (intervention: Parameters<typeof logitsOf>[0]) => (): string =>
      JSON.stringify(new IntervenableConfig(intervention as { layer: number }));
    expect(written({ intervention: (b: Tensor) => b })).toThrow(/JSON cannot say a function/);
    const constant = ZeroIntervention.with({ sourceRepresentation: zeros([24]) });
    expect(written({ intervention: constant })).toThrow(
      /JSON cannot say its sourceRepresentation, which is a Tensor/,
    );
    for (const at of [new VanillaIntervention(), new Scale({ factor: 2 })]) {
      expect(() => JSON.stringify({ intervention: at })).toThrow(/JSON cannot say an instance/);
    }
  });
});
