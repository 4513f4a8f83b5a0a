import { range } from "../../base/lists.ts";

/** What a head reads the residual stream for. */
export type HeadInput = "q" | "k" | "v";

/** All of it, in the order of receivers. */
export const HEAD_INPUTS: readonly HeadInput[] = ["q", "k", "v"];

/**
 * What writes to a residual stream or reads it. Names are those of EAP-IG's graphs: `input`, `a0.h1`, `m0`,
 * `logits`; a head reads as `a0.h1<q>`, `a0.h1<k>`, `a0.h1<v>`, keys and values by their own heads where
 * groups of query heads share them.
 */
export interface ResidualNode {
  /** What it is called. */
  readonly name: string;
  /** What it is: what the first layer is given, a head, a constant that an attention adds, an MLP, the end. */
  readonly kind: "input" | "head" | "bias" | "mlp" | "logits";
  /** The layer; undefined for `input` and `logits`. */
  readonly layer?: number;
  /** The head, of one. */
  readonly head?: number;
  /** What a head reads it for. */
  readonly reads?: HeadInput;
}

/** How many layers and heads there are, and how they read. */
export interface ResidualShape {
  /** Of each layer. */
  readonly layers: readonly {
    /** Heads of queries. */
    readonly heads: number;
    /** Heads of keys and values. */
    readonly keyHeads: number;
    /** Whether the MLP reads what the attention reads, and not what it wrote. */
    readonly isParallel: boolean;
  }[];
}

/** What writes, in the order of what it reads: a head before the MLP of its layer. */
export function sendersOf({ layers }: ResidualShape): readonly ResidualNode[] {
  const inLayers = layers.flatMap(({ heads }, layer): ResidualNode[] => [
    ...range(heads).map(
      (head) => ({ name: `a${layer}.h${head}`, kind: "head", layer, head }) as const,
    ),
    { name: `m${layer}`, kind: "mlp", layer },
  ]);
  return [{ name: "input", kind: "input" }, ...inLayers];
}

/** What reads, in order; of each layer the queries of all heads, their keys, their values, and the MLP. */
export function receiversOf({ layers }: ResidualShape): readonly ResidualNode[] {
  const inLayers = layers.flatMap(({ heads, keyHeads }, layer): ResidualNode[] => {
    const of = (reads: HeadInput, count: number): ResidualNode[] =>
      range(count).map((head) => ({
        name: `a${layer}.h${head}<${reads}>`,
        kind: "head",
        layer,
        head,
        reads,
      }));
    const heads3 = [...of("q", heads), ...of("k", keyHeads), ...of("v", keyHeads)];
    return [...heads3, { name: `m${layer}`, kind: "mlp", layer }];
  });
  return [...inLayers, { name: "logits", kind: "logits" }];
}

/** Whether a receiver reads what a sender wrote. */
export function isEdge(
  shape: ResidualShape,
  sender: ResidualNode,
  receiver: ResidualNode,
): boolean {
  if (receiver.layer === undefined || sender.layer === undefined) return true;
  if (sender.layer !== receiver.layer) return sender.layer < receiver.layer;
  const isAttention = sender.kind === "head" || sender.kind === "bias";
  return (
    isAttention && receiver.kind === "mlp" && shape.layers[receiver.layer]?.isParallel === false
  );
}
