import type { Tensor } from "../../tensor/tensor.ts";
import { warn } from "../../base/warn.ts";
import { watchNumbers } from "../../tensor/watched-numbers.ts";

/** Numbers that are looked through whole, in some 0.05 ms; of more, a part of each row is. */
const FEW = 2 ** 16;

/** Says so, once, when logits that somebody reads are infinite or not numbers. */
export function watchLogits(model: string, logits: Tensor): void {
  if (logits.dtype !== "float32") return;
  const width = logits.shape.at(-1) ?? 1;
  watchNumbers(logits, (values) => {
    const found = firstBad(values as Float32Array, width);
    if (found !== undefined) sayNotFinite(model, found);
  });
}

/** Says, once in a process, that a model's logits are not finite. */
export function sayNotFinite(model: string, value: number): void {
  warn(
    model,
    `the logits hold ${value}, so that what follows from them means nothing; weights that are not ` +
      "finite are the likely cause: load with { checkFinite: true } to see which",
  );
}

/** A number that is not finite; a loop and no callback, for there are many. */
function firstIn(values: Float32Array): number | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) return value;
  }
  return undefined;
}

/**
 * A number that is not finite. Hidden states that are not make all of a row so, and weights of the
 * head that are not make a column so, which the last row has too.
 */
function firstBad(values: Float32Array, width: number): number | undefined {
  if (values.length <= FEW) return firstIn(values);
  for (let at = 0; at < values.length; at += width) {
    const value = values[at];
    if (value !== undefined && !Number.isFinite(value)) return value;
  }
  return firstIn(values.subarray(-width));
}
