import { range } from "../../base/lists.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { linearBefore, normBefore } from "../residual/graph-reading.ts";
import type { HeadInput } from "../residual/residual-nodes.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";

/**
 * Passes of a batch in which each row stands so many times, one after the other; what layers are given beside
 * their input is taken of them.
 */
export type PassOf = (times: number) => TracedResidual;

/** Passes of some rows of data, each traced once. */
export function passesOf(
  stream: ResidualStream,
  rows: readonly number[],
  inputsOf: (rows: readonly number[]) => unknown,
): PassOf {
  const passes = new Map<number, TracedResidual>();
  return (times) => {
    const each = rows.flatMap((row) => range(times).map(() => row));
    const pass = passes.get(times) ?? stream.trace(inputsOf(each));
    passes.set(times, pass);
    return pass;
  };
}

/**
 * What each head of a layer makes of a state of its own.
 *
 * @param states - [batch, heads, position, width]
 * @returns [batch, position, heads, width of a head]
 */
export type HeadReader = (states: Tensor) => Tensor;

/** How the heads of a layer make queries, keys or values of the residual stream. */
export function headReader(
  stream: ResidualStream,
  passOf: PassOf,
  layer: number,
  kind: HeadInput,
): HeadReader {
  return projection(stream, passOf(1), layer, kind) ?? byLayer(stream, passOf, layer, kind);
}

/** A linear layer of the stream or of a norm of it: each head has rows of its weight. */
function projection(
  stream: ResidualStream,
  pass: TracedResidual,
  layer: number,
  kind: HeadInput,
): HeadReader | undefined {
  const { at } = stream.layerOf(pass, layer);
  const linear = linearBefore(at[kind]);
  const norm = linear && linear.of !== at.input ? normBefore(linear.of) : undefined;
  if (linear === undefined || (norm?.of ?? linear.of) !== at.input) return undefined;
  const { heads = 1, part } = stream.sitesAt(layer)[kind].layout;
  const count = linear.weight.size(0) / (part?.of ?? 1);
  const start = count * (part?.index ?? 0);
  const ofHeads = (t: Tensor): Tensor =>
    t.slice(0, start, start + count).reshape([heads, count / heads, -1]);
  const weight = ofHeads(linear.weight).transpose(1, 2);
  const bias = linear.bias && ofHeads(linear.bias).transpose(1, 2);
  return (states) => {
    const made = (norm?.forward(states) ?? states).matmul(weight);
    return (bias === undefined ? made : made.add(bias)).transpose(1, 2);
  };
}

/** The layer is run on the state of each head, and of each run that head is taken. */
function byLayer(
  stream: ResidualStream,
  passOf: PassOf,
  layer: number,
  kind: HeadInput,
): HeadReader {
  return (states) => {
    const heads = states.size(1);
    const { [kind]: made } = stream.runLayer(passOf(heads), layer, { input: states.flatten(0, 1) });
    const [, positions = 1, of = 1, width = 1] = made.shape;
    const each = made.reshape([states.size(0), heads, positions, of, width]);
    return each.diagonal(0, 1, 3).permute([0, 1, 3, 2]);
  };
}
