import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { zerosLike } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { normBefore } from "../residual/graph-reading.ts";
import { HEAD_INPUTS, type HeadInput } from "../residual/residual-nodes.ts";
import type { LayerValues, ResidualStream, TracedLayer } from "../residual/residual-stream.ts";
import { headColumns } from "../residual/residual-writes.ts";
import { headReader, type PassOf } from "./read-heads.ts";
import { SenderChanges } from "./sender-changes.ts";
import type { WrittenStates } from "./written-states.ts";

/**
 * By how much what senders wrote is changed on its way to receivers that are chosen:
 *
 * - `"towards"`: to these states, from what the senders write in the run itself;
 * - `"by"`: by these states, whatever is written in the run.
 */
export type EdgeChange = { readonly towards: WrittenStates } | { readonly by: WrittenStates };

/** A run of sets of edges: each row of the batch is a set with an example, the examples varying fastest. */
export interface EdgeTrace {
  readonly stream: ResidualStream;
  /** Passes of the rows' inputs. */
  readonly passOf: PassOf;
  /**
   * How much of the change of each sender reaches each receiver, [sets, senders, receivers] in the order of
   * the stream's: 0 for none, 1 for all of it. What stands at pairs that are no edge is not read.
   */
  readonly weights: Tensor;
  /** Of as many examples as the rows have, or of one for all. */
  readonly change: EdgeChange;
  /** What the first layer is given, [rows, position, width]. @default that of the inputs */
  readonly input?: Tensor;
}

/**
 * Traces runs in which receivers see what senders wrote elsewhere, along the edges that are chosen: a receiver
 * reads the sum of what is written in the run and of the changes of its edges, through norms as they are of
 * that sum; all that comes after is computed anew. The edges are data, so that one program serves all sets, and
 * gradients with respect to the weights can be taken: at 0, with the change `by`, they are the scores of edge
 * attribution patching.
 *
 * @returns The state that the end reads, [rows, position, width]; `stream.finish` makes logits of it.
 */
export function traceEdges(trace: EdgeTrace): Tensor {
  const { stream, passOf } = trace;
  const input = trace.input ?? passOf(1).input;
  const changes = new SenderChanges(trace.weights);
  changes.add(changed(trace, input, (states) => states.input).unsqueeze(1));
  let [state, receiver] = [input, 0];
  for (const layer of range(stream.layers.length)) {
    const run: LayerTrace = { ...trace, layer, changes, state, receiver };
    state = traceLayer(run);
    receiver += readersOf(run) + 1;
  }
  return changes.read({ start: receiver, count: 1 }, state).squeeze(1);
}

/** One layer of a run. */
interface LayerTrace extends EdgeTrace {
  readonly layer: number;
  readonly changes: SenderChanges;
  /** What the layer is given. */
  readonly state: Tensor;
  /** The number of the layer's first receiver. */
  readonly receiver: number;
}

/** What a layer gives, whose changes are added to those before. */
function traceLayer(run: LayerTrace): Tensor {
  const { stream, passOf, layer, changes, state } = run;
  const pass = passOf(1);
  const mlp = { start: run.receiver + readersOf(run), count: 1 };
  const attended = stream.runLayer(pass, layer, { input: state, edits: readInputs(run) });
  const beside = changes.read(mlp, state);
  addHeads(run, attended);
  const middle = state.add(attended.attention);
  const isBeside = stream.layers[layer]?.isParallel === true;
  const given = isBeside ? beside : changes.read(mlp, middle);
  const fed = stream.runLayer(pass, layer, mlpAlone(given.squeeze(1)));
  changes.add(changed(run, fed.mlp, (states) => layerOf(states, layer).mlp).unsqueeze(1));
  return middle.add(fed.mlp);
}

/** A layer whose MLP reads a state: nothing is added to it before. */
export function mlpAlone(input: Tensor): {
  readonly input: Tensor;
  readonly edits: { readonly attention: Tensor };
} {
  return { input, edits: { attention: zerosLike(input) } };
}

/** How many receivers the attention of a layer has. */
function readersOf({ stream, layer }: LayerTrace): number {
  return HEAD_INPUTS.reduce((sum, kind) => sum + headsOf(stream, layer, kind), 0);
}

function headsOf({ layers }: ResidualStream, layer: number, kind: HeadInput): number {
  const { heads = 0, keyHeads = 0 } = layers[layer] ?? {};
  return kind === "q" ? heads : keyHeads;
}

/** What each head makes of what it reads, by what it reads it for. */
function readInputs(run: LayerTrace): { readonly [K in HeadInput]?: Tensor } {
  const { stream, passOf, layer, changes, state } = run;
  const read = changes.read({ start: run.receiver, count: readersOf(run) }, state);
  let start = 0;
  const entries = HEAD_INPUTS.map((kind) => {
    const end = start + headsOf(stream, layer, kind);
    const own = read.slice(1, start, end);
    start = end;
    return [kind, headReader(stream, passOf, layer, kind)(own)] as const;
  });
  return Object.fromEntries(entries);
}

/** Adds what the heads of a layer wrote to what may be changed. */
function addHeads(run: LayerTrace, { mixed, attention }: LayerValues): void {
  const { stream, passOf, layer, changes } = run;
  const change = changed(run, mixed, (states) => layerOf(states, layer).mixed);
  const results = resultsByHead(stream.layerOf(passOf(1), layer), change);
  const norm = normBefore(attention);
  if (norm === undefined) changes.add(results);
  else changes.addNormed(results, norm, attention);
}

/** What the output projection makes of each head's part of [rows, position, heads, width]. */
function resultsByHead({ output: { weight } }: TracedLayer, mixed: Tensor): Tensor {
  const [, , heads = 1, width = 1] = mixed.shape;
  return mixed.transpose(1, 2).matmul(headColumns(weight, heads, width));
}

/** By how much what was written in the rows is changed. */
function changed(
  { change }: EdgeTrace,
  own: Tensor,
  of: (states: WrittenStates) => Tensor,
): Tensor {
  return "by" in change
    ? inRows(of(change.by), own.size(0))
    : inRows(of(change.towards), own.size(0)).sub(own);
}

/** Examples again and again: [examples, ...] as [rows, ...]. */
export function inRows(states: Tensor, rows: number): Tensor {
  const [examples = 1, ...rest] = states.shape;
  return examples === rows ? states : states.repeat([rows / examples, ...rest.map(() => 1)]);
}

function layerOf({ layers }: WrittenStates, layer: number): WrittenStates["layers"][number] {
  return layers[layer] ?? fail("traceEdges", `the states have no layer ${layer}`);
}
