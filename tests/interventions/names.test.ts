import { expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  type EachIntervention,
  IntervenableConfig,
  type IntervenableConfigLike,
  IntervenableModel,
  InterventionError,
  type LocationPair,
  RotatedSpaceIntervention,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1]);
const source = ids([2, 7, 1, 8]);
const at = (layer: number) => ({ layer, component: "mlp_output" }) as const;

const named = new IntervenableModel(
  [
    { ...at(0), intervention: AdditionIntervention, name: "push" },
    { ...at(1), intervention: AdditionIntervention },
    { ...at(2), intervention: CollectIntervention, name: "seen" },
    { ...at(2), intervention: CollectIntervention },
  ],
  model,
);

test("an intervention is called what it is named, or by its place", () => {
  const names = ["push", "layer 1 mlp_output", "seen", "layer 2 mlp_output"];
  expect(named.names).toStrictEqual(names);
  expect(named.interventions.names).toStrictEqual(names);
  expect(named.config.names).toStrictEqual(names);
  expect(named.config.sortedKeys).toStrictEqual([
    "layer_0_comp_mlp_output_unit_pos_nunit_1#0",
    "layer_1_comp_mlp_output_unit_pos_nunit_1#0",
    "layer_2_comp_mlp_output_unit_pos_nunit_1#0",
    "layer_2_comp_mlp_output_unit_pos_nunit_1#1",
  ]);
  expect(named.interventions.get("push")).toBeInstanceOf(AdditionIntervention);
  expect(String(named)).toContain(
    "\n  push: AdditionIntervention(embedDim=24) at transformer.h.0.mlp",
  );
  expect(String(named.config)).toContain("\n  push: AdditionIntervention, at=layer 0 mlp_output\n");
});

test("places of experts and repeats are told apart, and no given name is taken", () => {
  const expert = { layer: 1, component: "expert_output", moeKey: 3 };
  const config = new IntervenableConfig([
    { ...at(0), unit: "pos" },
    at(0),
    { ...at(0), name: "layer 0 mlp_output" },
    expert,
    { component: "transformer.h[0].mlp.output" },
  ]);
  expect(config.names).toStrictEqual([
    "layer 0 mlp_output #2",
    "layer 0 mlp_output #3",
    "layer 0 mlp_output",
    "layer 1 expert_output expert 3",
    "transformer.h[0].mlp.output",
  ]);
});

test("results are by name", async () => {
  const { collectedByName } = named.forward(base, { sources: source });
  expect(Object.keys(collectedByName)).toStrictEqual(["seen", "layer 2 mlp_output"]);
  const written = await named.generate(base, {
    sources: source,
    steps: {
      push: "prompt",
      "layer 1 mlp_output": 0,
      seen: "all",
      "layer 2 mlp_output": "decoding",
    },
    maxNewTokens: 3,
    eosTokenId: null,
  });
  expect(written.collectedByName["seen"]).toHaveLength(3);
  expect(written.collectedByName["layer 2 mlp_output"]).toHaveLength(2);
  const values = tensor(Array.from({ length: 24 }, (_, i) => i));
  const given = { sourceRepresentations: { push: values, "layer 1 mlp_output": null } };
  const [{ logits: before }, { logits: after }] = named.forward(base, given);
  expect(await after.sub(before).abs().amax().item()).toBeGreaterThan(0);
});

test("locations and subspaces are given by name", async () => {
  const [first = "", second = ""] = named.names;
  const byName = { [first]: 1, [second]: [2, 3], seen: "all", "layer 2 mlp_output": null } as const;
  const logitsOf = (each: EachIntervention<LocationPair>["each"], subspaces?: unknown) =>
    named
      .forward(base, { sources: source, unitLocations: { "sources->base": { each } }, subspaces })
      .intervened.logits.data();
  const inOrder = await logitsOf([1, [2, 3], "all", null]);
  expect(await logitsOf(byName)).toStrictEqual(inOrder);
  const dimensions = { push: 3, "layer 1 mlp_output": [0, 1], seen: null, "layer 2 mlp_output": 0 };
  const told = await logitsOf(byName, { each: dimensions });
  expect(told).toStrictEqual(await logitsOf(byName, { each: [3, [0, 1], null, 0] }));
  expect(told).not.toStrictEqual(inOrder);
  expect(() => logitsOf({ ...byName, psuh: 1 })).toThrow(
    /there is no "psuh" here; did you mean push/,
  );
  expect(() => logitsOf({ push: 1 })).toThrow(/each: layer 1 mlp_output, seen, .* is missing/);
});

test("explain says names", () => {
  const plan = named.explain(base, { sources: source });
  expect(plan.interventions.map(({ name }) => name)).toStrictEqual(named.names);
  expect(plan.runs.find(({ name }) => name === "base")?.edits).toStrictEqual(named.names);
  expect(String(plan)).toMatch(/^name .*\npush +AdditionIntervention/);
});

test("parameters are under the names", () => {
  const intervention = RotatedSpaceIntervention;
  const learned = new IntervenableModel([{ ...at(0), intervention, name: "basis" }], model);
  const [name] = [...learned.namedParameters()].map(([parameter]) => parameter);
  expect(name).toMatch(/^interventions\.basis\.rotate_layer\./);
});

test("names come back from JSON, and places stay places", () => {
  const { config } = named;
  const json = JSON.parse(JSON.stringify(config)) as IntervenableConfigLike;
  const same = new IntervenableConfig(json as Exclude<IntervenableConfigLike, IntervenableConfig>);
  expect(same.names).toStrictEqual(config.names);
  expect(String(same)).toBe(String(config));
  expect(JSON.stringify(json)).toContain('"name":"push"');
  expect(JSON.stringify(json)).not.toContain("layer 1 mlp_output");
});

test("representations that are added later have other names", () => {
  const config = new IntervenableConfig({ ...at(0), intervention: ZeroIntervention, name: "one" });
  const zero = { ...at(0), intervention: ZeroIntervention };
  config.addIntervention(zero).addIntervention(zero);
  expect(config.names).toStrictEqual(["one", "layer 0 mlp_output", "layer 0 mlp_output #2"]);
  expect(() => config.addIntervention({ ...zero, name: "one" })).toThrow(
    /representation 3: another representation is called "one"/,
  );
  expect(config.names).toHaveLength(3);
});

test.each<readonly [string, unknown, RegExp]>([
  [
    "twice",
    [at(0), at(1)].map((place) => ({ ...place, name: "a" })),
    /1: another .* "a"; names must differ/,
  ],
  ["empty", { ...at(0), name: "" }, /representation 0: the name "" is empty/],
  ["with a dot", { ...at(0), name: "h.0" }, /the name "h.0" has a dot, which parts/],
  ["a word of steps", { ...at(0), name: "start" }, /the name "start" is a word of steps/],
  ["a number", { ...at(0), name: 3 }, /representation 0: name must be a string, got number/],
])("a name that is %s is refused", (_, config, message) => {
  const build = (): unknown =>
    new IntervenableModel(config as IntervenableConfigLike<never>, model);
  expect(build).toThrow(message);
  expect(build).toThrow(InterventionError);
});

const key = "layer_0_comp_mlp_output_unit_pos_nunit_1#0";

test("a key of pyvene's is answered with the name", async () => {
  const message = `"${key}" is a key of pyvene's files; here it is called "push"`;
  expect(() => named.interventions.get(key)).toThrow(message);
  const given = { [key]: tensor(Array(24).fill(1)) };
  expect(() => named.forward(base, { sourceRepresentations: given })).toThrow(
    `sourceRepresentations: ${message}`,
  );
  await expect(
    named.generate(base, { steps: { [key]: "all" }, maxNewTokens: 2, eosTokenId: null }),
  ).rejects.toThrow(`steps: ${message}`);
  expect(() => named.interventions.get("psuh")).toThrow(
    /no intervention "psuh"; did you mean push/,
  );
});

test("messages lead with the name, or with the place", () => {
  const messageOf = (name?: string): string => {
    const config = { ...at(1), intervention: VanillaIntervention, ...(name && { name }) };
    const call = (): unknown => new IntervenableModel(config, model).forward(base);
    expect(call).toThrow(InterventionError);
    try {
      call();
    } catch (error) {
      return String(error);
    }
    return "";
  };
  expect(messageOf("swap")).toContain(
    "IntervenableModel: swap: VanillaIntervention needs a source",
  );
  expect(messageOf()).toContain("IntervenableModel: layer 1 mlp_output: VanillaIntervention needs");
});
