import { Generator } from "../../tensor/random/generator.ts";
import { drawn } from "./drawn.ts";
import { rankCorrelation } from "./rank-correlation.ts";

/** An estimate, and what running it gives. */
interface Checked {
  readonly estimate: number;
  readonly exact: number;
}

/** The first of a list, which are the greatest, and as many others at random. */
export function firstAndRandom<T>(sorted: readonly T[], count: number): readonly T[] {
  return [...sorted.slice(0, count), ...drawn(sorted.slice(count), count, new Generator(0))];
}

/** How good estimates are. */
export function agreementOf<C extends Checked>(
  checked: readonly C[],
): { readonly spearman: number; readonly largestMiss: C } {
  const miss = ({ estimate, exact }: C): number => Math.abs(estimate - exact);
  const [worst] = checked.toSorted((a, b) => miss(b) - miss(a));
  return {
    spearman: rankCorrelation(
      checked.map(({ estimate }) => estimate),
      checked.map(({ exact }) => exact),
    ),
    largestMiss: worst as C,
  };
}
