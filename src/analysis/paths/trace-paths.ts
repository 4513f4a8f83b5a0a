import { range } from "../../base/lists.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { HEAD_INPUTS, type HeadInput, type ResidualNode } from "../residual/residual-nodes.ts";
import type { LayerValues, ResidualStream, TracedResidual } from "../residual/residual-stream.ts";
import { keepScale, type KeptScale } from "./keep-scale.ts";
import { mlpAlone } from "./trace-edges.ts";
import type { WrittenStates } from "./written-states.ts";

/** Runs of paths: each row of the batch is a group of senders with an example. */
export interface PathTrace {
  readonly stream: ResidualStream;
  /** A pass of the rows' inputs without edits. */
  readonly pass: TracedResidual;
  /** What senders write instead, in as many rows, or in one for all. */
  readonly source: WrittenStates;
  /** The senders of each row. */
  readonly senders: readonly (readonly ResidualNode[])[];
  /** Whether norms of what receivers read keep the scale that they have without edits. */
  readonly linearNorm: boolean;
  /** Whether MLPs on the way are computed anew; else they write what they write in the pass. */
  readonly throughMlps: boolean;
}

/** What receivers would read in rows where their senders write what they wrote in the source. */
export interface PathReads {
  /** What each attention would read, and what each MLP, [rows, position, width]. */
  readonly layers: readonly { readonly attention: Tensor; readonly mlp: Tensor }[];
  /** What the end would read. */
  readonly final: Tensor;
}

/**
 * Traces what reaches every receiver from the senders alone: senders write what they wrote in the source, all
 * other heads what they write in the pass without edits, MLPs what they make of what reaches them, or that too
 * what they write without edits.
 */
export function tracePaths(trace: PathTrace): PathReads {
  const { stream, pass, source } = trace;
  let state = patched(trace, { kind: "input" }, pass.input, source.input);
  const layers = range(stream.layers.length).map((layer) => {
    const traced = stream.layerOf(pass, layer);
    const attention = attentionOf(trace, layer);
    const given = state;
    const middle = traced.isParallel ? state : state.add(attention);
    const mlp = mlpOf(trace, layer, middle);
    state = state.add(attention).add(mlp);
    return { attention: given, mlp: middle };
  });
  return { layers, final: state };
}

/** What an attention adds where its senders write what they wrote in the source. */
function attentionOf(trace: PathTrace, layer: number): Tensor {
  const { stream, pass, source, senders } = trace;
  const { at } = stream.layerOf(pass, layer);
  if (!senders.flat().some(({ kind, layer: of }) => kind === "head" && of === layer)) {
    return at.attention;
  }
  const own = stream.mixed(pass, layer);
  const { mixed = own } = source.layers[layer] ?? {};
  const heads = range(own.size(2)).map((head) => sharesOf(trace, { kind: "head", layer, head }));
  const shares = stack(heads, 1).reshape([-1, 1, heads.length, 1]);
  const edits = { mixed: own.add(mixed.sub(own).mul(shares)) };
  return stream.runLayer(pass, layer, { input: at.input, edits }).attention;
}

function mlpOf(trace: PathTrace, layer: number, given: Tensor): Tensor {
  const { stream, pass, source, throughMlps } = trace;
  const { at } = stream.layerOf(pass, layer);
  const own = throughMlps ? stream.runLayer(pass, layer, mlpAlone(given)).mlp : at.mlp;
  return patched(trace, { kind: "mlp", layer }, own, source.layers[layer]?.mlp ?? own);
}

type Sender = Pick<ResidualNode, "kind" | "layer" | "head">;

/** The source's value in rows where it is a sender's. */
function patched(trace: PathTrace, sender: Sender, own: Tensor, source: Tensor): Tensor {
  const { senders } = trace;
  if (!senders.flat().some((node) => isSame(node, sender))) return own;
  return own.add(source.sub(own).mul(sharesOf(trace, sender).reshape([-1, 1, 1])));
}

/** For each row 1 where it has this sender, [rows]. */
function sharesOf({ senders }: PathTrace, sender: Sender): Tensor {
  return tensor(senders.map((nodes) => (nodes.some((node) => isSame(node, sender)) ? 1 : 0)));
}

function isSame(a: Sender, b: Sender): boolean {
  return a.kind === b.kind && a.layer === b.layer && a.head === b.head;
}

/**
 * Traces runs in which receivers read what reaches them on paths, and all else is computed anew.
 *
 * @param receivers - Heads by what they read for, and MLPs; or the end alone.
 * @returns The state that the end reads, [rows, position, width].
 */
export function traceReceivers(
  trace: PathTrace,
  reads: PathReads,
  receivers: readonly ResidualNode[],
): Tensor {
  const { stream, pass } = trace;
  if (receivers.some(({ kind }) => kind === "logits")) return reads.final;
  const first = Math.min(...receivers.map(({ layer = 0 }) => layer));
  let state = stream.layerOf(pass, first).at.input;
  for (const layer of range(stream.layers.length).slice(first)) {
    const run = (given: Tensor, edits: Partial<LayerValues> = {}): LayerValues =>
      stream.runLayer(pass, layer, { input: given, edits });
    const own = receivers.filter((node) => node.layer === layer);
    const { attention, mlp } = reads.layers[layer] ?? { attention: state, mlp: state };
    const edits: { mlp?: Tensor } & { [K in HeadInput]?: Tensor } = {};
    for (const kind of HEAD_INPUTS) {
      const heads = own.filter((node) => node.reads === kind).map(({ head }) => head);
      if (heads.length === 0) continue;
      const { [kind]: made } = run(state);
      const { input } = stream.layerOf(pass, layer).at;
      const other = readAs(trace, { parts: [attention], base: input }, () => run(attention)[kind]);
      edits[kind] = withHeads(made, other, heads);
    }
    if (own.some(({ kind }) => kind === "mlp")) {
      edits.mlp = mlpReading(trace, layer, mlp);
    }
    state = run(state, edits).output;
  }
  return state;
}

/** What an MLP that is a receiver makes of what it reads. */
function mlpReading(trace: PathTrace, layer: number, read: Tensor): Tensor {
  const { stream, pass } = trace;
  const { at, isParallel } = stream.layerOf(pass, layer);
  const alone = mlpAlone(read);
  const parts = isParallel ? [read] : [read, alone.edits.attention];
  const base = isParallel ? at.input : at.input.add(at.attention);
  return readAs(trace, { parts, base }, () => stream.runLayer(pass, layer, alone).mlp);
}

/** Traces what a receiver makes of what it reads. */
export function readAs(
  { linearNorm, stream }: PathTrace,
  kept: KeptScale,
  trace: () => Tensor,
): Tensor {
  return linearNorm ? keepScale("pathPatch", stream.model, kept, trace) : trace();
}

/** [rows, position, heads, width] with some heads of another. */
function withHeads(own: Tensor, other: Tensor, heads: readonly (number | undefined)[]): Tensor {
  const isOther = tensor(range(own.size(2)).map((head) => heads.includes(head)));
  return other.where(isOther.reshape([1, 1, -1, 1]), own);
}
