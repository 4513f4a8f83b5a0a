import { upstream } from "../../tensor/graph.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { remember } from "../remember.ts";
import { buildProgram, type Program, type Sharing } from "./program.ts";
import { spelled } from "./spelled.ts";

/** Outlines that are known, and signatures; the longest unused is forgotten. */
const KNOWN = 64;
const KNOWN_SIGNATURES = 256;

/**
 * What is shared in traces of the same outline. Sizes that are equal by accident, such as a prefix as long
 * as a batch, make values the same that are not the same in another trace. A program that keeps apart what
 * was different once serves all of them: so the second of such traces may compile, but not each.
 */
export class Sharings {
  readonly #byOutline = new Map<string, Sharing>();
  readonly #signatures = new Map<string, true>();

  /** The program that computes targets; if possible, one that earlier traces of the same outline had. */
  programOf(targets: readonly Tensor[]): Program {
    const program = buildProgram(targets);
    const { signature } = program;
    if (this.#signatures.has(signature)) {
      remember(this.#signatures, signature, true, KNOWN_SIGNATURES);
      return program;
    }
    const outline = outlineOf(targets);
    const known = this.#byOutline.get(outline);
    const settled = known === undefined ? program : buildProgram(targets, known);
    remember(this.#byOutline, outline, settled.sharing, KNOWN);
    remember(this.#signatures, settled.signature, true, KNOWN_SIGNATURES);
    return settled;
  }
}

/** What is computed from what, as it was traced, without any size or number. */
function outlineOf(targets: readonly Tensor[]): string {
  const places = new Map<Tensor, number>();
  const lines: string[] = [];
  const placesOf = (tensors: readonly Tensor[]): string =>
    tensors.map((t) => places.get(t)).join(",");
  for (const t of upstream(targets)) {
    places.set(t, places.size);
    const origin = t.values === undefined ? t.origin : undefined;
    const rank = `${t.dtype}:${t.shape.length}`;
    if (origin === undefined) lines.push(rank);
    else {
      const attributes = origin.attributes === NONE ? "" : spelled(origin.attributes);
      lines.push(`${origin.op}${attributes}(${placesOf(origin.inputs)})${rank}`);
    }
  }
  return `${lines.join("\n")}\n>${placesOf(targets)}`;
}
