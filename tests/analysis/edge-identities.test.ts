import { describe, expect, test } from "vitest";
import {
  attributeEdges,
  AutoModelForCausalLM,
  CollectIntervention,
  Embedding,
  evaluate,
  grad,
  Identity,
  IntervenableModel,
  Linear,
  manualSeed,
  type ModelCard,
  Module,
  ModuleList,
  pathPatch,
  runEdges,
  type Tensor,
  tensor,
  VanillaIntervention,
} from "tsvene";
import { golden } from "../models/checkpoints.ts";
import { RESIDUAL_FAMILIES } from "./residual-families.ts";
import { type Ids, tinyPairs } from "./tiny-pairs.ts";

const pairs = tinyPairs({ count: 2, length: 4, differsAt: 1 });
const { clean, corrupt } = pairs.batch([0, 1]) as { readonly clean: Ids; readonly corrupt: Ids };
/** Senders of the first layer, and where what they write is. */
const PLACES = { input: "block_input", m0: "mlp_addition" } as const;
const SENDERS = Object.keys(PLACES);

/** The logits that answers are compared by: of the last position, [batch]. */
function difference(output: unknown): Tensor {
  const last = (output as { readonly logits: Tensor }).logits.select(1, -1);
  return last.select(1, 1).sub(last.select(1, 2));
}

function layersOf(model: Module): number {
  const { numHiddenLayers, nLayer, numLayers } = (
    model as unknown as { readonly config: Record<string, number> }
  ).config;
  return numHiddenLayers ?? nLayer ?? numLayers ?? 0;
}

/** Reads what the senders wrote and what the last layer gave. */
function readerOf(model: Module): IntervenableModel {
  const last = { layer: layersOf(model) - 1, component: "block_output" };
  const places = [...Object.values(PLACES).map((component) => ({ component })), last];
  const config = places.map((place) => ({ ...place, intervention: CollectIntervention }));
  return new IntervenableModel(config, model);
}

/** What the final norm and the unembedding make of a last state: the model's own, and nothing else. */
function finished(model: Module, state: Tensor): Tensor {
  const last = { layer: layersOf(model) - 1, component: "block_output" };
  const end = new IntervenableModel({ ...last, intervention: VanillaIntervention }, model);
  return difference(end.forward(clean, { sourceRepresentations: state }).intervened);
}

describe.each(RESIDUAL_FAMILIES.map((name, i) => ({ name, isEven: i % 2 === 0 })))(
  "$name",
  ({ name, isEven }) => {
    test("a direct path is the end of a state with another write; edges of a node sum to its attribution", async () => {
      const model = await AutoModelForCausalLM.fromPretrained(golden(name));
      const reader = readerOf(model);
      const { intervened, collected } = reader.forward(clean);
      const others = reader.forward(corrupt).collected;
      const last = collected[SENDERS.length] as Tensor;
      const own = collected.slice(0, SENDERS.length);
      const gradients = grad(difference(intervened).sum(), own);
      const source = isEven ? ("zero" as const) : ({ mean: "corrupt" } as const);
      const instead = others.map((t) => (isEven ? t.mul(0) : t.mean({ dim: 0, keepdim: true })));
      const ends = own.map((t, i) => finished(model, last.add((others[i] as Tensor).sub(t))));
      const changes = own.map((t, i) =>
        (instead[i] as Tensor)
          .sub(t)
          .mul(gradients[i] as Tensor)
          .sum()
          .div(2),
      );
      await evaluate(...ends, ...changes);
      const patched = await pathPatch(model, pairs, { senders: SENDERS, throughMlps: false });
      const { scores } = await attributeEdges(model, pairs, { source });
      for (const [i, sender] of SENDERS.entries()) {
        const wanted = (await ends[i]?.toArray(1)) ?? [];
        const found = patched.values.at({ sender }).toArray() as number[];
        expect(apart(found, wanted)).toBeLessThan(1e-5);
        const sum = scores.nodes().valueAt({ sender });
        expect(apart([sum], [(await changes[i]?.item()) ?? NaN])).toBeLessThan(1e-5);
        expect(Math.abs(sum)).toBeGreaterThan(1e-6);
      }
    });
  },
);

function apart(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));
}

/** A layer of a network that is linear: each position attends to all before it alike, and no norm is taken. */
class LinearLayer extends Module {
  readonly q = new Linear(8, 8);
  readonly k = new Linear(8, 8);
  readonly v = new Linear(8, 8);
  readonly weights = new Identity();
  readonly out = new Linear(8, 8);
  readonly up = new Linear(8, 12);
  readonly down = new Linear(12, 8);
  override forward(x: Tensor): Tensor {
    const heads = (y: Tensor): Tensor =>
      y.reshape([...y.shape.slice(0, 2), 2, 4]).permute([0, 2, 1, 3]);
    const [q, k, v] = [this.q, this.k, this.v].map((part) => heads(part.forward(x)));
    const scores = (q as Tensor).matmul((k as Tensor).transpose(-1, -2)).mul(0);
    const length = x.size(1);
    const even = tensor(
      Array.from({ length }, (_, i) =>
        Array.from({ length }, (__, j) => (j <= i ? 1 / (i + 1) : 0)),
      ),
    );
    const mixed = this.weights.forward(scores.add(even)).matmul(v as Tensor);
    const middle = x.add(this.out.forward(mixed.permute([0, 2, 1, 3]).reshape(x.shape)));
    return middle.add(this.down.forward(this.up.forward(middle)));
  }
}

const at = (path: string, side: "input" | "output" = "output") =>
  ({ path: `layers.{layer}${path}`, side, dimension: () => 8 }) as const;
const heads = (path: string, side: "input" | "output" = "output") =>
  ({ ...at(path, side), heads: () => 2, dimension: () => 4 }) as const;

class LinearNetwork extends Module {
  static readonly card: ModelCard<object> = {
    layers: () => 3,
    components: {
      block_input: at("", "input"),
      block_output: at(""),
      attention_addition: at(".out"),
      mlp_addition: at(".down"),
      attention_weight: { ...at(".weights"), headsFirst: true, dimension: () => undefined },
      head_attention_value_output: heads(".out", "input"),
      head_query_output: heads(".q"),
      head_key_output: heads(".k"),
      head_value_output: heads(".v"),
    },
  };
  readonly config = {};
  readonly embed = new Embedding(20, 8);
  readonly layers = new ModuleList([new LinearLayer(), new LinearLayer(), new LinearLayer()]);
  readonly end = new Linear(8, 20);
  override forward({ inputIds }: Ids): { readonly logits: Tensor } {
    const state = [...this.layers].reduce(
      (x, layer) => layer.forward(x),
      this.embed.forward(inputIds),
    );
    return { logits: this.end.forward(state) };
  }
}

test.each(["counterpart", "zero", { mean: "corrupt" }] as const)(
  "in a linear network, what edges are estimated to change is what they change, source %j",
  async (source) => {
    manualSeed(7);
    const model = new LinearNetwork();
    const { scores } = await attributeEdges(model, pairs, { source });
    const all = scores.top(Infinity);
    const sets = Object.fromEntries(all.map(({ edge }) => [edge, [edge]]));
    const effects = await runEdges(model, pairs, { sets, source });
    const change = effects.change();
    expect(all.length).toBeGreaterThan(60);
    for (const { edge, change: estimate } of all) {
      expect(Math.abs(estimate - change.valueAt({ set: edge }))).toBeLessThan(1e-5);
    }
    expect(Math.abs(all[0]?.change ?? 0)).toBeGreaterThan(1e-2);
  },
);
