import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../errors.ts";

/** @throws ModelError unless a layer's sizes, by name, are numbers that stand one by one. */
export function requireSizes(layer: string, sizes: Readonly<Record<string, unknown>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isSafeInteger(size) && (size as number) >= 0) continue;
    const got = typeof size === "number" ? String(size) : describeValue(size);
    const names = Object.keys(sizes).join(", ");
    fail(layer, `${name} must be a whole number, got ${got}; write new ${layer}(${names})`);
  }
}
