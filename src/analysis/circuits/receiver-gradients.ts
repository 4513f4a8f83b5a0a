import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import { grad } from "../../tensor/autograd.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { HEAD_INPUTS, type HeadInput } from "../residual/residual-nodes.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";

/** A pass in which gradients are taken. */
export interface GradientPass {
  readonly stream: ResidualStream;
  readonly pass: TracedResidual;
  /** A pass of as many times the rows, of which only the context of layers is used. */
  readonly contextOf: (times: number) => TracedResidual;
  /** The metric's sum. */
  readonly measured: Tensor;
}

/** Receivers that read the same senders. */
export interface ReceiverGradients {
  /** What they are: of a layer the queries of all heads, then keys, then values; an MLP; the end. */
  readonly kind: "attention" | "mlp" | "logits";
  readonly layer: number;
  /** The gradient of the metric with respect to what each reads, [receivers, rows, positions, width]. */
  readonly gradients: Tensor;
}

const PLACES = [...HEAD_INPUTS, "mlp"] as const;

/** Gradients with respect to what all receivers read, in their order. */
export function receiverGradients(run: GradientPass): readonly ReceiverGradients[] {
  const { stream, pass, measured } = run;
  const targets = pass.layers.flatMap(({ at }) => PLACES.map((place) => at[place]));
  const found = grad(measured, [...targets, pass.final], { allowUnused: true });
  const gradientAt = (layer: number, place: (typeof PLACES)[number]): Tensor =>
    found[layer * PLACES.length + PLACES.indexOf(place)] ??
    fail("attributeEdges", "internal: no gradient");
  const inLayers = range(pass.layers.length).flatMap((layer): ReceiverGradients[] => {
    const heads = HEAD_INPUTS.map((kind) =>
      headGradients(run, layer, kind, stream.readAt(layer, kind, gradientAt(layer, kind))),
    );
    const mlp = mlpGradient(pass, layer, gradientAt(layer, "mlp"));
    return [
      { kind: "attention", layer, gradients: cat(heads, 0) },
      { kind: "mlp", layer, gradients: mlp.unsqueeze(0) },
    ];
  });
  const end = found.at(-1) ?? fail("attributeEdges", "internal: no gradient");
  return [...inLayers, { kind: "logits", layer: pass.layers.length, gradients: end.unsqueeze(0) }];
}

/** What each head's queries, keys or values come from, as rows of which each has its own head's gradient. */
function headGradients(
  { stream, pass, contextOf }: GradientPass,
  layer: number,
  kind: HeadInput,
  gradient: Tensor,
): Tensor {
  const input = pass.layers[layer]?.at.input ?? pass.input;
  const [rows = 1, positions = 1, heads = 1, width = 1] = gradient.shape;
  const own = input
    .unsqueeze(0)
    .expand([heads, ...input.shape])
    .flatten(0, 1);
  const { [kind]: made } = stream.runLayer(contextOf(heads), layer, { input: own });
  const each = made.reshape([heads, rows, positions, heads, width]).diagonal(0, 0, 3);
  const [g] = grad(each.permute([0, 1, 3, 2]).mul(gradient).sum(), [own]);
  return g.reshape([heads, ...input.shape]);
}

function mlpGradient({ layers }: TracedResidual, layer: number, gradient: Tensor): Tensor {
  const { at, read = [] } = layers[layer] ?? {};
  const [first, ...rest] = at === undefined ? [] : grad(at.mlp, read, { gradOutput: gradient });
  if (first === undefined) return fail("attributeEdges", "internal: no MLP");
  return rest.reduce((sum, g) => sum.add(g), first);
}
