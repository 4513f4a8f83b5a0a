import type { CharSet } from "../char-set.ts";

/** Where a pattern looks without taking a character. */
export type Assertion =
  "lineStart" | "lineEnd" | "textStart" | "textEnd" | "lastLineEnd" | "wordEdge" | "noWordEdge";

/** A pattern, read. */
export type Node =
  | { readonly kind: "set"; readonly set: CharSet; readonly code?: number }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | {
      readonly kind: "repeat";
      readonly item: Node;
      readonly least: number;
      readonly most: number;
      readonly mode: RepeatMode;
    }
  | {
      readonly kind: "look";
      readonly item: Node;
      readonly ahead: boolean;
      readonly negated: boolean;
    }
  | { readonly kind: "atomic"; readonly item: Node }
  | { readonly kind: "assert"; readonly at: Assertion };

export type RepeatMode = "greedy" | "lazy" | "possessive";
