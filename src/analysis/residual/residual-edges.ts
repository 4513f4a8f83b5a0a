import type { ResidualNode } from "./residual-nodes.ts";
import type { ResidualStream } from "./residual-stream.ts";

/** A sender, and a receiver that reads what it wrote. */
export interface ResidualEdge {
  /** What it is called: `a0.h1->m2`, `m1->a2.h0<q>`, as in EAP-IG's files. */
  readonly name: string;
  /** What writes. */
  readonly sender: ResidualNode;
  /** What reads. */
  readonly receiver: ResidualNode;
  /** Its number in a matrix of all senders by all receivers, of which many are no edge. */
  readonly at: number;
}

/** All edges, sender by sender. */
export function residualEdges(
  stream: Pick<ResidualStream, "senders" | "receivers" | "hasEdge">,
): readonly ResidualEdge[] {
  const { senders, receivers } = stream;
  return senders.flatMap((sender, s) =>
    receivers.flatMap((receiver, r) => {
      if (!stream.hasEdge(sender, receiver)) return [];
      const name = `${sender.name}->${receiver.name}`;
      return [{ name, sender, receiver, at: s * receivers.length + r }];
    }),
  );
}
