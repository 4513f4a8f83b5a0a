import type { AnyValue } from "./types.ts";

/**
 * The domain of a variable that takes any value of a type, such as vectors: nothing is checked, and
 * nothing can be drawn from it.
 *
 * @example
 * ```ts
 * import { anyValue, CausalModel } from "tsvene";
 * const length = new CausalModel({
 *   values: { word: anyValue<string>(), length: anyValue<number>() },
 *   parents: { length: ["word"] },
 *   functions: { length: (word) => word.length },
 * });
 * console.log(length.run({ word: "tree" }).length); // 4
 * ```
 */
export function anyValue<T>(): AnyValue<T> {
  return "any";
}
