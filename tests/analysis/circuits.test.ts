import { describe, expect, test } from "vitest";
import {
  acdc,
  type AcdcDecision,
  attributeEdges,
  AutoModelForCausalLM,
  Circuit,
  circuitCompleteness,
  CircuitCurve,
  CircuitEvaluation,
  circuitMinimality,
  evaluateCircuits,
  faithfulnessCurve,
  GPT2LMHeadModel,
  manualSeed,
  NamedArray,
  runEdges,
  toSvg,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { indirectObjects } from "./indirect-objects.ts";
import { recordedCircuits } from "./recorded-circuits.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const plain = { heads: 2, keyHeads: 2, isParallel: false };
const two = { layers: [plain, plain], width: 8 };
const shared = {
  layers: [0, 1].map(() => ({ heads: 4, keyHeads: 2, isParallel: true })),
  width: 8,
};
const settings = { nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 20, initializerRange: 0.4 };
manualSeed(0);
const gpt2 = new GPT2LMHeadModel(settings).eval();
const pairs = tinyPairs();

const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

describe("a circuit", () => {
  const path = ["input->a0.h1<v>", "a0.h1->m1", "m1->logits"];

  test("has what is on a path from the input to the end", () => {
    const loose = ["a0.h0->m0", "m0->a1.h0<q>", "input->a1.h1<k>", "a1.h0->logits"];
    const circuit = new Circuit({ ...two, edges: [...loose, ...path, ...path] });
    expect(circuit.size).toBe(7);
    expect(circuit.pruned().edges).toEqual(path);
    expect(circuit.pruned().nodes).toEqual(["input", "a0.h1", "m1", "logits"]);
    expect(circuit.without(["m1"]).pruned().size).toBe(0);
    expect(circuit.without(["a0.h1->m1"]).has("a0.h1->m1")).toBe(false);
  });

  test("is joined with others and cut by them", () => {
    const [a, b] = [path, [...path.slice(1), "input->m1"]].map((edges) => new Circuit({ ...two, edges })); // prettier-ignore
    expect(a?.union(b as Circuit).size).toBe(4);
    expect(a?.intersection(b as Circuit).edges).toEqual(path.slice(1));
  });

  test("of nodes has all edges between them", () => {
    const circuit = Circuit.ofNodes(two, ["a0.h1"]);
    expect(circuit.edges).toEqual([
      "input->a0.h1<q>",
      "input->a0.h1<k>",
      "input->a0.h1<v>",
      "input->logits",
      "a0.h1->logits",
    ]);
    expect(Circuit.ofNodes(two, [], { mlps: true }).nodes).toEqual(["input", "m0", "m1", "logits"]);
  });

  test.each([two, shared])("at random has as many edges as are asked for, on paths", (model) => {
    for (const count of [0, 1, 5, 20, Circuit.whole(model).size]) {
      const circuit = Circuit.random(model, count, 3);
      expect(circuit.size).toBe(count);
      expect(circuit.pruned().size).toBe(count);
    }
    expect(Circuit.random(model, 9, 1).edges).not.toEqual(Circuit.random(model, 9, 2).edges);
  });

  test.each([two, shared])("goes into EAP-IG's form and back", (model) => {
    const { edges } = Circuit.random(model, 12);
    const scores = Object.fromEntries(Circuit.whole(model).edges.map((name, i) => [name, i / 4]));
    const circuit = new Circuit({ ...model, edges, scores });
    const json = JSON.parse(JSON.stringify(circuit)) as ReturnType<Circuit["toJSON"]>;
    const again = Circuit.fromJSON(json);
    expect(again.edges).toEqual(circuit.edges);
    expect(again.scores).toEqual(scores);
    expect(json.cfg).toMatchObject({ n_layers: 2, n_heads: model.layers[0]?.heads, d_model: 8 });
    expect(json.nodes["logits"]).toEqual({ in_graph: true });
    const kept = Object.values(json.edges).filter((edge) => edge.in_graph).length;
    expect(kept).toBeGreaterThanOrEqual(12);
  });

  test("is drawn, and written for Graphviz", async () => {
    const circuit = new Circuit({ ...two, edges: path, scores: { "a0.h1->m1": -1 } });
    expect(await toSvg(circuit.plot())).toContain("a0.h1");
    expect(circuit.toDot()).toContain('"input" -> "a0.h1" [label="v"]');
    expect(String(circuit)).toBe("3 of 46 edges, 4 nodes: input a0.h1 m1 logits");
  });
});

test("edges are chosen by their scores, all at once or from the end", async () => {
  const { scores } = await attributeEdges(gpt2, pairs);
  const importance = new Map(scores.top(Infinity).map(({ edge, change }) => [edge, -change]));
  const weight = (name: string): number => Math.abs(importance.get(name) ?? NaN);
  const top = scores.circuit({ edges: 6, prune: false });
  expect(new Set(top.edges)).toEqual(new Set(scores.top(6).map(({ edge }) => edge)));
  const least = Math.min(...top.edges.map(weight));
  expect(scores.circuit({ threshold: least, prune: false }).edges).toEqual(top.edges);
  const greedy = scores.circuit({ edges: 8, selection: "greedy", prune: false });
  const senders = greedy.edges.map((edge) => edge.split("->")[0]);
  const ends = new Set([...senders, "logits"]);
  for (const edge of greedy.edges) {
    expect(ends).toContain(edge.split("->")[1]?.replace(/<.>$/, ""));
  }
  const helps = scores.circuit({ edges: 5, by: "importance", prune: false });
  const greatest = [...importance.values()].toSorted((a, b) => b - a).slice(0, 5);
  const found = helps.edges.map((name) => importance.get(name) ?? NaN);
  expect(found.toSorted((a, b) => b - a)).toEqual(greatest);
});

test("circuits come to what EAP-IG's evaluation does in PyTorch", async () => {
  const recorded = await recordedCircuits();
  const model = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
  const layers = [0, 1, 2, 3].map(() => ({ heads: 4, keyHeads: 4, isParallel: false }));
  const circuits = Object.fromEntries(
    recorded.circuits.map(({ kept }, i) => {
      const edges = kept.map((edge) => recorded.edges[edge] ?? "");
      return [`circuit ${i}`, new Circuit({ layers, width: 24, edges })];
    }),
  );
  const sources = { counterpart: "counterpart", zero: "zero", mean: { mean: "corrupt" } } as const;
  for (const [name, source] of Object.entries(sources)) {
    const asked = { circuits, source, controls: 0 };
    const { values } = await evaluateCircuits(model, recorded.pairs, asked);
    const wanted = recorded.circuits.flatMap((one) => one[name as keyof typeof sources]);
    expect(apart(values.values, wanted)).toBeLessThan(2e-5);
  }
});

test.each(["llama", "gptj", "gemma2"])(
  "%s: all edges are the model, and none nothing",
  async (name) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const { scores } = await attributeEdges(model, pairs);
    const all = Circuit.whole(scores);
    const circuits = { all, none: all.without(all.edges) };
    const found = await evaluateCircuits(model, pairs, { circuits, controls: 0 });
    expect(found.sizes).toEqual([scores.top(Infinity).length, 0]);
    expect(apart(found.values.at({ circuit: "all" }).values, scores.clean)).toBeLessThan(1e-5);
    expect(apart(found.values.at({ circuit: "none" }).values, scores.corrupt)).toBeLessThan(1e-5);
    expect(apart(found.faithfulness().values, [1, 0])).toBeLessThan(1e-4);
  },
);

describe("an evaluation", () => {
  const evaluation = (values: readonly number[]): CircuitEvaluation => {
    const circuits = { name: "circuit", values: ["1%", "50%", "100%"] };
    const example = { name: "example", values: [0, 1] };
    const control = { name: "control", values: [0] };
    return new CircuitEvaluation({
      values: new NamedArray({ name: "metric", axes: [circuits, example], values }),
      controls: new NamedArray({ name: "metric", axes: [circuits, control, example], values }),
      whole: [3, 5],
      empty: [1, 1],
      sizes: [1, 50, 100],
      modelSize: 100,
    });
  };

  test("is a ratio of means, and gives areas from the first share on", () => {
    const shares = [0.01, 0.5, 1];
    const perfect = new CircuitCurve({ shares, evaluation: evaluation([3, 5, 3, 5, 3, 5]) });
    expect(perfect.cpr).toBeCloseTo(0.99, 12);
    expect(perfect.cmd).toBeCloseTo(0, 12);
    // Faithfulness 0, 1.5 and 1.
    const other = new CircuitCurve({ shares, evaluation: evaluation([1, 1, 4, 7, 3, 5]) });
    expect(other.points.map(({ faithfulness }) => faithfulness)).toEqual([0, 1.5, 1]);
    expect(other.cpr).toBeCloseTo(0.49 * 0.75 + 0.5 * 1.25, 12);
    expect(other.cmd).toBeCloseTo(0.49 * 0.75 + 0.5 * 0.25, 12);
    const again = CircuitCurve.fromJSON(JSON.parse(JSON.stringify(other)) as never);
    expect(String(again)).toBe(String(other));
    expect(JSON.stringify(again.plot())).toContain("CPR");
  });

  test("has nothing to say where the model does nothing", () => {
    const { values, controls, sizes, modelSize } = evaluation([1, 1, 1, 1, 1, 1]);
    const same = { values, controls, sizes, modelSize, whole: [1, 2], empty: [1, 2] };
    expect(() => new CircuitEvaluation(same).faithfulness()).toThrow("nothing to be faithful to");
  });
});

test("the whole model is complete; what writes nothing is not needed", async () => {
  const model = new GPT2LMHeadModel(settings).eval();
  const projection = new Map(model.namedParameters()).get("transformer.h.0.attn.c_proj.weight");
  projection?.set(projection.value.mul(0));
  const { scores } = await attributeEdges(model, pairs);
  const circuit = Circuit.whole(scores);
  const { incompleteness } = await circuitCompleteness(model, pairs, { circuit, draws: 2 });
  expect(Math.max(...incompleteness.values)).toBeLessThan(1e-6);
  const { changes } = await circuitMinimality(model, pairs, { circuit });
  expect(Math.abs(changes.valueAt({ part: "a0.h1" }))).toBeLessThan(1e-6);
  expect(Math.abs(changes.valueAt({ part: "input" }))).toBeGreaterThan(1e-4);
  const only = scores.circuit({ edges: 4, selection: "greedy" });
  const knockouts = { input: ["input"] };
  const found = await circuitCompleteness(model, pairs, { circuit: only, knockouts });
  expect(found.values.shape).toEqual([1, 2, 3]);
  expect(found.incompleteness.values[0]).toBeGreaterThan(0);
});

describe("ACDC", () => {
  const threshold = 1e-3;

  test("decides as one does edge by edge", async () => {
    const decided: AcdcDecision[] = [];
    const onEdge = (decision: AcdcDecision): number => decided.push(decision);
    const found = await acdc(gpt2, pairs, { threshold }, { onEdge });
    expect(decided).toEqual(found.decisions);
    expect(found.decisions[0]?.edge).toBe("m1->logits");
    const removed = new Set<string>();
    let current = 0;
    for (const { edge, change, isKept } of decided) {
      const sets = { next: [...removed, edge] };
      const value = mean([...(await runEdges(gpt2, pairs, { sets, metric: "kl" })).values.values]);
      expect(Math.abs(value - current - change)).toBeLessThan(1e-6);
      expect(isKept).toBe(change >= threshold);
      if (isKept) continue;
      removed.add(edge);
      current = value;
    }
    expect(found.left).toBeLessThan(removed.size * threshold);
    expect(removed.size).toBeGreaterThan(4);
    expect(removed.size).toBeLessThan(decided.length - 4);
    expect(found.circuit.edges.every((edge) => !removed.has(edge))).toBe(true);
  }, 60_000);

  test("goes on where it was stopped", async () => {
    const whole = await acdc(gpt2, pairs, { threshold });
    const decided: AcdcDecision[] = [];
    const controller = new AbortController();
    const onEdge = (decision: AcdcDecision): void => {
      if (decided.push(decision) === 12) controller.abort();
    };
    const { signal } = controller;
    await expect(acdc(gpt2, pairs, { threshold }, { onEdge, signal })).rejects.toThrow("aborted");
    expect(decided.length).toBeLessThan(whole.decisions.length);
    const { circuit, left } = await acdc(gpt2, pairs, { threshold }, { resume: decided });
    expect(circuit.edges).toEqual(whole.circuit.edges);
    expect(left).toBeCloseTo(whole.left, 6);
  });

  test("takes all out where anything may get worse", async () => {
    const asked = { threshold: Infinity, metric: "logitDifference" } as const;
    const { circuit, whole, left } = await acdc(gpt2, pairs, asked);
    expect(circuit.size).toBe(0);
    const { clean, corrupt } = (await attributeEdges(gpt2, pairs)).scores;
    expect(whole).toBeCloseTo(mean(clean), 6);
    expect(left).toBeCloseTo(mean(corrupt), 5);
  });
});

describe("is refused", () => {
  const circuit = new Circuit({ ...two, edges: [] });
  const untypedCircuit = untyped(Circuit);
  refusesEach([
    ["no edge", () => new Circuit({ ...two, edges: ["m1->m0"] }), /no edge m1->m0.*did you mean/s],
    ["no node", () => circuit.without(["a0.h7"]), /no node a0.h7/],
    ["another model", () => circuit.union(new Circuit({ ...shared, edges: [] })), /other layers/],
    ["a file that is none", () => untypedCircuit.fromJSON?.({ nodes: {} }), /expected \{ cfg/],
    ["too many edges at random", () => Circuit.random(two, 1000), /from 0 to 46, got 1000/],
    ["no circuits", () => evaluateCircuits(gpt2, pairs, { circuits: {} }), /give at least one/],
    ["a circuit of another model", () => evaluateCircuits(gpt2, pairs, { circuits: { it: new Circuit({ ...shared, edges: [] }) } }), /2 layers of 4 heads, the model of 2 layers of 2/], // prettier-ignore
    ["no threshold", () => untyped(acdc)(gpt2, pairs, {}), /threshold must be a number/],
    ["another run", () => acdc(gpt2, pairs, { threshold: 1 }, { resume: [{ edge: "m9->logits", change: 0, isKept: true }] }), /resume is of another model/], // prettier-ignore
    ["no scores", () => untyped(faithfulnessCurve)(gpt2, pairs, {}), /what attributeEdges gives/],
  ]);
});

test("tsvene-mini: a few edges name the indirect object, as many at random do not", async () => {
  const { model, pairs: prompts } = await indirectObjects(8);
  const asked = { method: "integratedGradients", steps: 5 } as const;
  const { scores } = await attributeEdges(model, prompts, asked);
  const shares = [0.02, 0.05, 1];
  const curve = await faithfulnessCurve(model, prompts, { scores, shares, selection: "greedy" });
  const [few, more, all] = curve.points;
  expect(few?.faithfulness).toBeGreaterThan(0.9);
  expect(more?.random).toBeLessThan(0.2);
  expect(all?.faithfulness).toBeCloseTo(1, 4);
  expect(scores.circuit({ edges: 14, selection: "greedy" }).nodes).toEqual(
    expect.arrayContaining(["a2.h0", "a3.h2"]),
  );
}, 60_000);
