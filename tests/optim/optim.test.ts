import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  Adam,
  AdamW,
  clipGradNorm,
  constantSchedule,
  constantScheduleWithWarmup,
  cosineScheduleWithWarmup,
  evaluate,
  Generator,
  grad,
  LambdaLR,
  linearScheduleWithWarmup,
  loadSafetensors,
  type Optimizer,
  type OptimizerOptions,
  Parameter,
  randn,
  resetStats,
  runtimeStats,
  SGD,
  StepLR,
  type Tensor,
  tensor,
  zeros,
} from "tsvene";

interface Run {
  optimizer: "SGD" | "Adam" | "AdamW";
  kwargs: Record<string, number | boolean | [number, number]>;
  schedule: string | null;
  groups: string | null;
  lr_used: number[][];
  losses: number[];
}

const FOLDER = new URL("../goldens/optim/", import.meta.url);
const { runs } = JSON.parse(readFileSync(new URL("optim.json", FOLDER), "utf8")) as {
  runs: Record<string, Run>;
};
const recorded = await loadSafetensors(
  new Uint8Array(readFileSync(new URL("optim.safetensors", FOLDER))),
);
const trajectories = Object.entries(runs).filter(([, run]) => "losses" in run);
const TOLERANCE = 1e-5;

function golden(name: string): Tensor {
  const found = recorded.get(name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return found;
}

async function expectClose(actual: Tensor, expected: Tensor, tolerance = TOLERANCE): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  expect(await actual.sub(expected).abs().amax().item()).toBeLessThan(tolerance);
}

/** The recorded problem at its start. */
function problem(): { w: Parameter; c: Parameter; loss: () => Tensor } {
  const [w, c] = [new Parameter(golden("w0"), { name: "w" }), new Parameter(golden("c0"))];
  const loss = (): Tensor =>
    golden("A").matmul(w.value).add(c.value).tanh().sub(golden("b")).square().mean()
      .add(w.value.pow(4).sum().mul(0.05)); // prettier-ignore
  return { w, c, loss };
}

const OPTIMIZERS = { SGD, Adam, AdamW };

/** PyTorch's names of options in this library's spelling. */
function camelCase(options: object): object {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  );
}

function optimizerOf(run: Run, w: Parameter, c: Parameter): Optimizer<OptimizerOptions> {
  const grouped = [{ parameters: [w] }, { parameters: [c], lr: 0.1, weightDecay: 0 }];
  const parameters = run.groups === null ? [w, c] : grouped;
  // The options fit the optimiser that they are recorded with.
  const Chosen = OPTIMIZERS[run.optimizer] as unknown as new (
    parameters: object,
    options: object,
  ) => Optimizer<OptimizerOptions>;
  return new Chosen(parameters, camelCase(run.kwargs));
}

describe("PyTorch's trajectories", () => {
  test.each(trajectories)("%s", async (name, run) => {
    const { w, c, loss } = problem();
    const optimizer = optimizerOf(run, w, c);
    const schedule =
      run.schedule === null
        ? constantSchedule(optimizer)
        : linearScheduleWithWarmup(optimizer, { warmupSteps: 2, totalSteps: 6 });
    for (let k = 1; k <= 5; k++) {
      const lrs = optimizer.groups.map((g) => g.lr);
      lrs.forEach((lr, i) => expect(lr).toBeCloseTo(run.lr_used[k - 1]?.[i] ?? NaN, 12));
      const value = await optimizer.step(loss());
      expect(Math.abs(value - (run.losses[k - 1] ?? NaN))).toBeLessThan(TOLERANCE);
      await expectClose(w.value, golden(`${name}.w.${k}`));
      await expectClose(c.value, golden(`${name}.c.${k}`));
      schedule.step();
    }
  });

  test("every kind of run is there", () => {
    expect(trajectories.length).toBe(11);
  });

  test("clipping", async () => {
    const { w, c, loss } = problem();
    const { gradients, norm } = clipGradNorm(grad(loss().mul(10), [w.value, c.value]), 0.5);
    const [gw, gc] = gradients as [Tensor, Tensor];
    await evaluate(norm, gw, gc);
    await expectClose(norm, golden("clip.total_norm").reshape([]), 2e-5);
    await expectClose(gw, golden("clip.grad_w"));
    await expectClose(gc, golden("clip.grad_c"));
  });

  test("clipping within a step", async () => {
    const { w, c, loss } = problem();
    await new SGD([w, c], { lr: 1 }).step(loss().mul(10), { maxGradNorm: 0.5 });
    await expectClose(w.value, golden("w0").sub(golden("clip.grad_w")));
    await expectClose(c.value, golden("c0").sub(golden("clip.grad_c")));
  });
});

describe("clipGradNorm", () => {
  test("leaves small gradients alone, and knows the largest absolute value", async () => {
    const gradients = [tensor([3, -4]), tensor(1)];
    const small = clipGradNorm(gradients, 100);
    expect(await small.gradients[0]?.toArray()).toEqual([3, -4]);
    const largest = clipGradNorm(gradients, 2, { normType: Infinity });
    expect(await largest.norm.item()).toBe(4);
    expect(await largest.gradients[1]?.item()).toBeCloseTo(0.5, 6);
  });

  test("says what it cannot take", () => {
    expect(() => clipGradNorm([tensor([1])], 0)).toThrow("maxNorm must be above zero, got 0");
    expect(() => clipGradNorm([], 1)).toThrow("there are no gradients");
    expect(() => clipGradNorm([tensor([1])], 1, { normType: 1 })).toThrow(
      "normType must be 2 or Infinity, got 1",
    );
  });
});

describe("programs", () => {
  /** A network of two layers, with weights of 0 to 2 dimensions. */
  function network(): { parameters: Parameter[]; loss: () => Tensor } {
    const generator = new Generator(1);
    const parameters = [[8, 4], [8], [1, 8], []].map((s) => new Parameter(randn(s, { generator })));
    const [w1, b1, w2, b2] = parameters as [Parameter, Parameter, Parameter, Parameter];
    const [x, y] = [randn([6, 4], { generator }), randn([6, 1], { generator })];
    const loss = (): Tensor => {
      const hidden = x.matmul(w1.value.t()).add(b1.value).tanh();
      return hidden.matmul(w2.value.t()).add(b2.value).sub(y).square().mean();
    };
    return { parameters, loss };
  }

  test.each([
    [
      "SGD",
      (p: Parameter[]) => new SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.1, weightDecay: 0.1 }),
    ],
    ["Adam", (p: Parameter[]) => new Adam(p, { lr: 0.1, weightDecay: 0.1, amsgrad: true })],
    ["AdamW", (p: Parameter[]) => new AdamW(p, { lr: 0.1 })],
  ] as [string, (p: Parameter[]) => Optimizer<OptimizerOptions>][])(
    "50 steps of %s on a schedule are one program",
    async (_, create) => {
      const { parameters, loss } = network();
      const optimizer = create(parameters);
      const schedule = cosineScheduleWithWarmup(optimizer, { warmupSteps: 5, totalSteps: 50 });
      resetStats();
      const losses: number[] = [];
      for (let i = 0; i < 50; i++) {
        losses.push(await optimizer.step(loss(), { maxGradNorm: 1 }));
        schedule.step();
      }
      expect(runtimeStats().programsCompiled).toBe(1);
      expect(runtimeStats().runs).toBe(50);
      expect(losses[49]).toBeLessThan(0.5 * (losses[0] ?? 0));
    },
  );

  test("other tensors are computed along with the step", async () => {
    const { parameters, loss } = network();
    const metric = loss().mul(2);
    resetStats();
    const value = await new SGD(parameters).step(loss(), { also: [metric] });
    expect(await metric.item()).toBeCloseTo(2 * value, 6);
    expect(runtimeStats().runs).toBe(1);
  });

  test("parameters that are still lazy are computed in the first step", async () => {
    const w = new Parameter(zeros([2]).add(1));
    const optimizer = new SGD([w], { lr: 0.25 });
    expect(await optimizer.step(w.value.square().sum())).toBe(2);
    expect(await w.value.toArray()).toEqual([0.5, 0.5]);
  });

  test("float64 parameters are trained in float64", async () => {
    const w = new Parameter(tensor([1, 2], { dtype: "float64" }));
    const optimizer = new AdamW([w], { lr: 0.1 });
    await optimizer.step(w.value.square().sum(), { maxGradNorm: 1e9 });
    expect(w.dtype).toBe("float64");
    const values = await w.value.toArray(1);
    expect(values[0]).toBeCloseTo(1 - 0.1 * 0.01 - 0.1, 7);
  });
});

describe("which parameters change", () => {
  test("those that the loss depends on and that are not frozen", async () => {
    const [used, unused, frozen] = [1, 2, 3].map((x) => new Parameter(tensor([x]))) as [
      Parameter,
      Parameter,
      Parameter,
    ];
    frozen.requiresGrad = false;
    const optimizer = new AdamW([used, unused, frozen], { lr: 0.5, weightDecay: 0.1 });
    await optimizer.step(used.value.mul(frozen.value).sum());
    expect(await used.value.item()).not.toBe(1);
    expect(await unused.value.item()).toBe(2);
    expect(await frozen.value.item()).toBe(3);
    expect(Object.keys(optimizer.stateDict().state)).toEqual(["0"]);
    // Its first step later on is corrected as a first step.
    const alone = new Parameter(tensor([2]));
    await new AdamW([alone], { lr: 0.5, weightDecay: 0.1 }).step(alone.value.square().sum());
    await optimizer.step(unused.value.square().sum());
    expect(await unused.value.item()).toBe(await alone.value.item());
  });

  test("none, when the evaluation fails", async () => {
    const w = new Parameter(tensor([1, 2], { dtype: "float32" }));
    const optimizer = new Adam([w], { lr: 0.1 });
    await optimizer.step(w.value.square().sum());
    const before = await w.value.toArray();
    const state = JSON.stringify(await stateNumbers(optimizer));
    // An index that is out of range only shows when the program runs.
    const broken = w.value.indexSelect(0, tensor([3], { dtype: "int64" }).mul(2)).sum();
    await expect(optimizer.step(w.value.square().sum().add(broken))).rejects.toThrow();
    expect(await w.value.toArray()).toEqual(before);
    expect(JSON.stringify(await stateNumbers(optimizer))).toBe(state);
    await optimizer.step(w.value.square().sum());
    expect(await w.value.toArray()).not.toEqual(before);
  });

  test("stepWith takes gradients by parameter or in order", async () => {
    const make = (): [Parameter, Parameter] => [
      new Parameter(tensor([1, 2])),
      new Parameter(tensor(3)),
    ];
    const [a, b] = make();
    await new SGD([a, b], { lr: 0.5 }).stepWith(new Map([[a, tensor([2, 2])]]));
    expect(await a.value.toArray()).toEqual([0, 1]);
    expect(await b.value.item()).toBe(3);
    const [c, d] = make();
    await new SGD([c, d], { lr: 0.5 }).stepWith([tensor([2, 2]), tensor(1)], { maxGradNorm: 1.5 });
    expect((await c.value.toArray(1))[0]).toBeCloseTo(0.5, 5);
    expect(await d.value.item()).toBeCloseTo(2.75, 5);
  });

  test("accumulated gradients make the step of the whole batch", async () => {
    const rows = randn([8, 3], { generator: new Generator(5) });
    const [whole, parts] = [new Parameter(tensor([1, 2, 3])), new Parameter(tensor([1, 2, 3]))];
    const loss = (w: Parameter, x: Tensor): Tensor => x.matmul(w.value).square().sum();
    await new Adam([whole], { lr: 0.1 }).step(loss(whole, rows));
    const optimizer = new Adam([parts], { lr: 0.1 });
    const total = new Map<Parameter, Tensor>();
    for (const batch of rows.chunk(4)) {
      for (const [p, g] of optimizer.gradients(loss(parts, batch))) {
        total.set(p, total.get(p)?.add(g) ?? g);
      }
      await evaluate(...total.values());
    }
    await optimizer.stepWith(total);
    await expectClose(parts.value, whole.value, 1e-6);
  });
});

/** Everything of a state as plain numbers. */
async function stateNumbers(optimizer: Optimizer<OptimizerOptions>): Promise<unknown> {
  const { state, param_groups: groups } = optimizer.stateDict();
  const entries = Object.entries(state).map(async ([i, own]) => {
    const values = Object.entries(own).map(async ([name, value]) => [
      name,
      typeof value === "number" ? value : await value.toArray(),
    ]);
    return [i, await Promise.all(values)];
  });
  return [await Promise.all(entries), groups];
}

describe("saved states", () => {
  test.each(["sgd_momentum_wd", "sgd_dampening", "adam_amsgrad", "adamw_groups_warmup"])(
    "%s goes on exactly as if it had not stopped",
    async (name) => {
      const run = runs[name] as Run;
      const train = async (
        stopAfter: number | undefined,
      ): Promise<{ losses: number[]; values: unknown[]; state: unknown }> => {
        let { w, c, loss } = problem();
        const begin = (): [Optimizer<OptimizerOptions>, LambdaLR] => {
          const optimizer = optimizerOf(run, w, c);
          return [
            optimizer,
            linearScheduleWithWarmup(optimizer, { warmupSteps: 2, totalSteps: 6 }),
          ];
        };
        let [optimizer, schedule] = begin();
        const losses: number[] = [];
        for (let k = 0; k < 5; k++) {
          if (k === stopAfter) {
            const saved = [optimizer.stateDict(), schedule.stateDict()] as const;
            const values = [w.value, c.value] as const;
            await optimizer.step(loss()); // must not reach what was saved
            ({ w, c, loss } = problem());
            [optimizer, schedule] = begin();
            w.set(values[0]);
            c.set(values[1]);
            optimizer.loadStateDict(saved[0]);
            schedule.loadStateDict(JSON.parse(JSON.stringify(saved[1])));
          }
          losses.push(await optimizer.step(loss()));
          schedule.step();
        }
        const values = [await w.value.toArray(), await c.value.toArray()];
        return { losses, values, state: await stateNumbers(optimizer) };
      };
      expect(await train(3)).toEqual(await train(undefined));
    },
  );

  test("have PyTorch's layout and names", async () => {
    const [w, c] = [new Parameter(tensor([1, 2])), new Parameter(tensor(3))];
    const optimizer = new Adam([{ parameters: [w] }, { parameters: [c], lr: 0.1 }], {
      amsgrad: true,
      weightDecay: 0.5,
    });
    linearScheduleWithWarmup(optimizer, { warmupSteps: 2, totalSteps: 6 });
    await optimizer.step(w.value.sum().add(c.value));
    const { state, param_groups: groups } = optimizer.stateDict();
    expect(Object.keys(state["1"] ?? {})).toEqual([
      "step",
      "exp_avg",
      "exp_avg_sq",
      "max_exp_avg_sq",
    ]);
    expect(state["0"]?.["step"]).toBe(1);
    expect(state["1"]?.["exp_avg"]).toMatchObject({ shape: [] });
    expect(groups).toEqual([
      { lr: 0, initial_lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.5, amsgrad: true, params: [0] },
      { lr: 0, initial_lr: 0.1, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.5, amsgrad: true, params: [1] },
    ]); // prettier-ignore
  });

  test("of PyTorch itself are taken: steps as tensors, options of its implementation", async () => {
    const w = new Parameter(tensor([1, 2]));
    const optimizer = new Adam([w]);
    optimizer.loadStateDict({
      state: { 0: { step: tensor(7), exp_avg: tensor([1, 1]), exp_avg_sq: tensor([4, 4]) } },
      param_groups: [
        { lr: 0.25, betas: [0.5, 0.5], eps: 0, weight_decay: 0, amsgrad: false, maximize: false,
          foreach: null, capturable: false, fused: true, params: [0] },
      ],
    }); // prettier-ignore
    await optimizer.stepWith([tensor([1, 1])]);
    const [m, v] = [1 / (1 - 0.5 ** 8), 2.5 / (1 - 0.5 ** 8)];
    const values = await w.value.toArray(1);
    expect(values[0]).toBeCloseTo(1 - (0.25 * m) / Math.sqrt(v), 6);
    expect(optimizer.stateDict().state["0"]?.["step"]).toBe(8);
  });

  test("that do not fit are refused, and nothing changes", () => {
    const optimizer = new Adam([new Parameter(tensor([1, 2]))], { lr: 0.3 });
    const group = { ...optimizer.stateDict().param_groups[0], lr: 0.7 };
    const fit = { step: 1, exp_avg: tensor([1, 1]), exp_avg_sq: tensor([1, 1]) };
    const load =
      (own: object, groups: object[] = [group]) =>
      () =>
        optimizer.loadStateDict({ state: { 0: { ...own } }, param_groups: groups as never });
    expect(load({ ...fit, exp_avg: tensor([1]) })).toThrow(
      "Adam.loadStateDict: state 0: exp_avg is float32 [1], the parameter float32 [2]",
    );
    expect(load({ ...fit, step: 0.5 })).toThrow("step must be a whole number, got 0.5");
    expect(load(fit, [])).toThrow("expected 1 groups, got 0");
    expect(load(fit, [{ ...group, params: [0, 1] }])).toThrow("expected params [0], got [0,1]");
    expect(load(fit, [{ ...group, maximize: true }])).toThrow("maximize = true is not supported");
    expect(load(fit, [{ ...group, lr: -1 }])).toThrow("lr is out of range: -1");
    expect(optimizer.groups[0]?.lr).toBe(0.3);
    expect(optimizer.stateDict().state).toEqual({});
  });
});

describe("errors", () => {
  const w = (): Parameter => new Parameter(tensor([1, 2]), { name: "w" });

  test("of construction", () => {
    const p = w();
    expect(() => new SGD([])).toThrow("SGD: there are no parameters");
    expect(() => new SGD([p, p])).toThrow("SGD: w is given twice");
    expect(() => new Adam([p.value as unknown as Parameter])).toThrow(
      /Adam: .*a tensor cannot change/,
    );
    const tensors = { parameters: [p.value as unknown as Parameter] };
    expect(() => new Adam([tensors])).toThrow(/Adam: .*must be of the class Parameter/);
    const misspelled: object = { momentun: 0.9 };
    expect(() => new SGD([p], misspelled)).toThrow("no option momentun; did you mean momentum");
    expect(() => new AdamW([{ parameters: [p], ...misspelled }])).toThrow("no option momentun");
    expect(() => new SGD([p, { parameters: [w()] }])).toThrow("got both; put all in groups");
    expect(() => new SGD([p], { lr: -1 })).toThrow("SGD: lr is out of range: -1");
    expect(() => new SGD([p], { nesterov: true })).toThrow("nesterov needs a momentum");
    expect(() => new Adam([p], { betas: [0.9, 1] })).toThrow("Adam: betas is out of range: 0.9,1");
    expect(() => new AdamW([p], { eps: NaN })).toThrow("AdamW: eps is out of range: NaN");
  });

  test("of a loss", async () => {
    const p = w();
    const optimizer = new SGD([p], { lr: 0.1 });
    await expect(optimizer.step(tensor([1, 2]).sum().mul(2))).rejects.toThrow(
      "SGD: the loss depends on none of the 1 parameters that have requiresGrad",
    );
    await expect(optimizer.step(p.value.square())).rejects.toThrow("reduce it to one number");
    const loss = p.value.square().sum();
    await loss.item();
    await expect(optimizer.step(loss)).rejects.toThrow("the loss was evaluated before");
    const stale = p.value.square().sum();
    await optimizer.step(p.value.square().sum());
    await expect(optimizer.step(stale)).rejects.toThrow("was it traced before the last step");
  });

  test("of steps at the same time", async () => {
    const p = w();
    const optimizer = new SGD([p], { lr: 0.1 });
    const loss = (): Tensor => p.value.square().sum();
    const first = optimizer.step(loss());
    await expect(optimizer.step(loss())).rejects.toThrow(
      "the step before is not finished; await it",
    );
    await first;
    await optimizer.step(loss());
  });

  test("of gradients", async () => {
    const optimizer = new SGD([w()], { lr: 0.1 });
    await expect(optimizer.stepWith([])).rejects.toThrow("expected 1 gradients, got 0");
    await expect(optimizer.stepWith([tensor([1])])).rejects.toThrow(
      "the gradient for w, float32 [2], is float32 [1]",
    );
    await expect(optimizer.stepWith(new Map([[w(), tensor([1, 1])]]))).rejects.toThrow(
      "there is a gradient for w, which is in no group",
    );
  });
});

describe("Parameter", () => {
  test("takes another tensor of its shape and dtype only, and what was traced stays", async () => {
    const p = new Parameter(tensor([1, 2]), { name: "p" });
    const traced = p.value.mul(10);
    p.set(tensor([3, 4]));
    expect(await traced.toArray()).toEqual([10, 20]);
    expect(await p.value.toArray()).toEqual([3, 4]);
    expect(p.value.requiresGrad).toBe(true);
    expect(() => p.set(tensor([1]))).toThrow("Parameter.set: p is float32 [2], got float32 [1]");
    expect(() => p.set(tensor([1, 2], { dtype: "float64" }))).toThrow("got float64 [2]");
  });

  test("is a leaf, whatever its tensor was computed from", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const p = new Parameter(x.mul(2));
    const loss = p.value.square().sum();
    expect(() => grad(loss, [x])).toThrow("does not depend");
    const [g] = grad(loss, [p.value]);
    expect(await g.toArray()).toEqual([4, 8]);
  });

  test("can be read without harm to gradients through it", async () => {
    const p = new Parameter(zeros([2]).add(3));
    const x = tensor([1, 2]);
    const loss = p.value.mul(x).sum();
    expect(await p.value.toArray()).toEqual([3, 3]);
    const [gx, gp] = grad(loss, [x, p.value]);
    expect(await gx.toArray()).toEqual([3, 3]);
    expect(await gp.toArray()).toEqual([1, 2]);
  });

  test("is trained unless it is frozen or holds whole numbers", () => {
    const p = new Parameter(tensor([1]));
    expect(p.requiresGrad).toBe(true);
    p.requiresGrad = false;
    expect(p.value.requiresGrad).toBe(false);
    p.requiresGrad = true;
    expect(p.value.requiresGrad).toBe(true);
    const count = new Parameter(tensor([1], { dtype: "int64" }));
    expect(count.requiresGrad).toBe(false);
    expect(() => (count.requiresGrad = true)).toThrow("a tensor of int64 has no gradient");
    expect(() => new Parameter(tensor([1], { dtype: "bool" }), { requiresGrad: true })).toThrow(
      "a tensor of bool has no gradient",
    );
  });
});

describe("schedules", () => {
  const optimizer = (): SGD =>
    new SGD([{ parameters: [new Parameter(tensor([1]))] }, { parameters: [new Parameter(tensor([1]))], lr: 1 }], { lr: 2 }); // prettier-ignore

  function rates(schedule: LambdaLR | StepLR, steps: number): number[] {
    return Array.from({ length: steps }, () => {
      const [, lr = NaN] = schedule.lastLr();
      schedule.step();
      return lr;
    });
  }

  // Values of the functions of the same names in transformers and torch.
  test("follow their curves", () => {
    const half = Math.SQRT1_2;
    expect(rates(constantScheduleWithWarmup(optimizer(), { warmupSteps: 2 }), 4)).toEqual([
      0, 0.5, 1, 1,
    ]);
    expect(rates(constantSchedule(optimizer()), 2)).toEqual([1, 1]);
    expect(rates(new StepLR(optimizer(), { stepSize: 2, gamma: 0.5 }), 5)).toEqual([
      1, 1, 0.5, 0.5, 0.25,
    ]);
    const linear = linearScheduleWithWarmup(optimizer(), { warmupSteps: 2, totalSteps: 6 });
    expect(rates(linear, 8)).toEqual([0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0]);
    const cosine = cosineScheduleWithWarmup(optimizer(), { warmupSteps: 2, totalSteps: 6 });
    const expected = [0, 0.5, 1, (1 + half) / 2, 0.5, (1 - half) / 2, 0];
    rates(cosine, 7).forEach((lr, i) => expect(lr).toBeCloseTo(expected[i] ?? NaN, 12));
    const waves = cosineScheduleWithWarmup(optimizer(), {
      warmupSteps: 0,
      totalSteps: 4,
      cycles: 1,
    });
    const wave = [1, 0.5, 0, 0.5, 1];
    rates(waves, 5).forEach((lr, i) => expect(lr).toBeCloseTo(wave[i] ?? NaN, 12));
  });

  test("scale each group from its own learning rate, by its own function", () => {
    const own = optimizer();
    const schedule = new LambdaLR(own, [(step) => 1 / (1 + step), () => 0.1]);
    schedule.step();
    expect(own.groups.map((g) => g.lr)).toEqual([1, 0.1]);
    // A schedule that follows starts from the same rates, not from the ones in force.
    expect(constantSchedule(own).lastLr()).toEqual([2, 1]);
  });

  test("say what they cannot take", () => {
    expect(() => new LambdaLR(optimizer(), [() => 1])).toThrow("expected one function or 2");
    expect(() => new LambdaLR(optimizer(), () => NaN)).toThrow(
      "the learning rate of step 0 is NaN",
    );
    expect(() => new StepLR(optimizer(), { stepSize: 0 })).toThrow("stepSize must be an integer");
    expect(() => constantScheduleWithWarmup(optimizer(), { warmupSteps: -1 })).toThrow(
      "warmupSteps must be an integer of 0 or more, got -1",
    );
    expect(() =>
      constantSchedule(optimizer()).loadStateDict({ last_epoch: 1, base_lrs: [1] }),
    ).toThrow("expected 2 base_lrs, got 1");
  });
});
