import type { OpName, Ops } from "../../tensor/ops/ops.ts";
import { internal } from "../../base/errors.ts";
import type { BlockedWeight } from "./by-blocks.ts";
import type { Forms } from "./forms.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { inBlocks, widenedCopy } from "./lower-halves.ts";
import type { Lower, Lowering } from "./lower.ts";
import type { Attention, Step } from "../program/step.ts";

/** What has been written of a program, and how the rest of it is to be. */
export interface StepContext {
  readonly graph: GraphBuilder;
  readonly forms: Forms;
  /** Names of the values so far, by their ids. */
  readonly names: readonly string[];
  /** Whether products add their bias themselves. */
  readonly addsWithin: boolean;
  /** Whether all sizes are the same in every run. */
  readonly sized: boolean;
  /** Whether a value is a weight that is built in. */
  readonly isBuiltIn: (id: number) => boolean;
  /** Names of the size operands of the step of this id. */
  readonly sizesOf: (step: Step, id: number) => readonly string[];
}

/** Writes one step, and gives the name of its value. */
export function lowerStep(context: StepContext, step: Step, id: number): string {
  const { graph, forms, names, addsWithin, sized } = context;
  if (step.attention !== undefined && forms.attention === "kernel") {
    return lowerAttention(graph, step.attention, names);
  }
  const lower = forms.lowerings[step.origin.op] as Lower<Ops[OpName]>;
  return lower({
    graph,
    ...weightsRead(context, step),
    operands: step.origin.inputs,
    result: { dtype: step.tensor.dtype, rank: step.tensor.shape.length },
    attributes: step.origin.attributes,
    sized,
    sizes: context.sizesOf(step, id),
    // What is inside is packed beforehand: nothing is won by turning the product round.
    variant: context.isBuiltIn(step.inputs[1] ?? -1) ? "" : step.variant,
    addsWithin,
  });
}

/** The operands by name, and which of them is widened while it is read. */
function weightsRead({ graph, names }: StepContext, { inputs, widenings }: Step): WeightsRead {
  let blocked: BlockedWeight | undefined;
  const operands = inputs.map((input) => {
    const widening = widenings?.get(input);
    if (widening === undefined) return nameIn(names, input);
    const source = nameIn(names, widening.source);
    blocked ??= inBlocks(graph, source, widening);
    return widening.blocks ? (blocked?.source ?? source) : widenedCopy(graph, source, widening);
  });
  return { inputs: operands, blocked };
}

type WeightsRead = Pick<Lowering<unknown>, "inputs" | "blocked">;

function lowerAttention(
  graph: GraphBuilder,
  { query, key, value, mask, scale, cache }: Attention,
  names: readonly string[],
): string {
  const name = (id: number | undefined): string => (id === undefined ? "" : nameIn(names, id));
  const attributes = { scale: { float: scale } };
  if (cache === undefined) {
    const operands = [query, key, value, ...(mask === undefined ? [] : [mask])];
    return graph.node("Attention", operands.map(name), attributes);
  }
  const operands = [
    query,
    cache.key.added,
    cache.value.added,
    mask,
    cache.key.past,
    cache.value.past,
  ];
  const [mixed = "", keys = "", values = ""] = graph.nodes(
    "Attention",
    operands.map(name),
    attributes,
    {
      outputs: 3,
    },
  );
  // The kernel puts keys and values together itself.
  graph.replace(name(key), keys);
  graph.replace(name(value), values);
  return mixed;
}

/** The name of a value that has been written. */
export function nameIn(names: readonly string[], id: number): string {
  return names[id] ?? internal(`no name for value ${id}`);
}
