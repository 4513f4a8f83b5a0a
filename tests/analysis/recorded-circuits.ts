import { readFile } from "node:fs/promises";
import { type ContrastData, tensor } from "tsvene";
import type { Ids } from "./tiny-pairs.ts";

/** What was recorded in PyTorch of edges and circuits of the recorded GPT-2. */
export interface RecordedCircuits {
  /** Names of all edges. */
  readonly edges: readonly string[];
  /** By method, of each edge. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  /** Number of points of the methods that have several. */
  readonly steps: number;
  /** Which edges were kept, and by what the others carried the metric of each pair. */
  readonly circuits: readonly {
    readonly kept: readonly number[];
    readonly counterpart: readonly number[];
    readonly zero: readonly number[];
    readonly mean: readonly number[];
  }[];
  readonly pairs: ContrastData<Ids>;
}

/** Reads it. */
export async function recordedCircuits(): Promise<RecordedCircuits> {
  const text = await readFile(new URL("../goldens/circuits.json", import.meta.url), "utf8");
  const { edges, clean, corrupt, right, wrong, ...rest } = JSON.parse(text);
  const rows = (of: readonly number[][], indices: readonly number[]): Ids => ({
    inputIds: tensor(
      indices.map((i) => of[i] ?? []),
      { dtype: "int64" },
    ),
  });
  const pairs: ContrastData<Ids> = {
    length: clean.length,
    batch: (indices) => ({
      indices,
      clean: rows(clean, indices),
      corrupt: rows(corrupt, indices),
      right: indices.map(() => [right]),
      wrong: indices.map(() => [wrong]),
    }),
  };
  return { ...rest, edges: edges.split(" "), pairs };
}
