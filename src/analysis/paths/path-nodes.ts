import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { range } from "../../base/lists.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { ResidualNode } from "../residual/residual-nodes.ts";
import type { ResidualStream } from "../residual/residual-stream.ts";
import type { NamedAxis } from "../results/named-axis.ts";

/** What is patched: `"heads"`, each head alone; or names of senders, and lists of names that are patched together. */
export type PathSenders = "heads" | readonly (string | readonly string[])[];

/** Groups of senders, and where the table has them. */
export interface SenderTable {
  readonly axes: readonly NamedAxis[];
  readonly groups: readonly {
    readonly nodes: readonly ResidualNode[];
    /** Its number in the table. */
    readonly index: number;
  }[];
}

/** @throws TsveneError for names of no sender, and for none at all. */
export function senderTable(op: string, stream: ResidualStream, asked: PathSenders): SenderTable {
  if (asked === "heads") return tableOfHeads(stream);
  if (!Array.isArray(asked) || asked.length === 0) {
    return fail(op, `senders: "heads", or names such as "a0.h1", got ${describeValue(asked)}`);
  }
  const named = (asked as readonly (string | readonly string[])[]).map((names) => [names].flat());
  const groups = named.map((names, index) => ({
    nodes: names.map((name) => nodeOf(op, "sender", stream.senders, name)),
    index,
  }));
  if (groups.some(({ nodes }) => nodes.length === 0)) fail(op, "senders: a group of them is empty");
  return { axes: [{ name: "sender", values: named.map((names) => names.join("+")) }], groups };
}

function tableOfHeads({ senders, layers }: ResidualStream): SenderTable {
  const width = Math.max(...layers.map(({ heads }) => heads));
  const axes = [
    { name: "layer", values: range(layers.length) },
    { name: "head", values: range(width) },
  ];
  const groups = senders.flatMap((node) => {
    const { kind, layer = 0, head = 0 } = node;
    return kind === "head" ? [{ nodes: [node], index: layer * width + head }] : [];
  });
  return { axes, groups };
}

/**
 * Receivers by name; a head's name without `<q>`, `<k>` or `<v>` stands for all three.
 * @throws TsveneError for names of none, for none at all, and for the end beside others, which it would hide.
 */
export function receiversNamed(
  op: string,
  { receivers, layers }: ResidualStream,
  asked: "logits" | readonly string[],
): readonly ResidualNode[] {
  const names: readonly string[] = asked === "logits" ? [asked] : asked;
  if (!Array.isArray(names) || names.length === 0) {
    return fail(
      op,
      `receivers: "logits", or names such as "a2.h0<q>", got ${describeValue(asked)}`,
    );
  }
  const found = names.flatMap((name) => {
    const head = /^a(\d+)\.h(\d+)$/.exec(String(name));
    const [, layer = "", own = ""] = head ?? [];
    const { heads = 0, keyHeads = 0 } = layers[Number(layer)] ?? {};
    if (head === null) return [nodeOf(op, "receiver", receivers, name)];
    const shared = Math.floor((Number(own) * keyHeads) / heads);
    return [`${name}<q>`, `a${layer}.h${shared}<k>`, `a${layer}.h${shared}<v>`].map((one) =>
      nodeOf(op, "receiver", receivers, one),
    );
  });
  if (found.length > 1 && found.some(({ kind }) => kind === "logits")) {
    fail(op, 'receivers: "logits" stands alone; what it reads would hide what the others change');
  }
  return [...new Set(found)];
}

function nodeOf(
  op: string,
  what: string,
  nodes: readonly ResidualNode[],
  name: unknown,
): ResidualNode {
  const node = nodes.find((one) => one.name === name);
  if (node !== undefined) return node;
  const known = nodes.map((one) => one.name);
  return fail(op, `there is no ${what} ${String(name)}; ${didYouMean(String(name), known)}`);
}
