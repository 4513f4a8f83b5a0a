import type { OpName } from "tsvene";
import type { Rows } from "./call.ts";
import { broadcasting, unary } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { ofMatrices } from "./matrices.ts";
import { reductions } from "./reductions.ts";
import { scans } from "./scans.ts";
import { shaping } from "./shaping.ts";
import { windows } from "./windows.ts";

/** How each operation is computed, in the plainest way. */
export const interpreters: Rows<OpName> = {
  foreign: () => {
    throw new Error("what ONNX Runtime has words for, it computes");
  },
  ...unary,
  ...broadcasting,
  ...reductions,
  ...scans,
  ...ofMatrices,
  ...shaping,
  ...indexing,
  ...windows,
};
