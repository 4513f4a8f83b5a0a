import { refuse, TemplateError } from "./template-error.ts";
import { Callable, type Value } from "./values.ts";

function constantMethod(name: string, value: Value): Callable {
  return new Callable(name, ({ positional, named }) => {
    if (positional.length + named.size === 0) return value;
    throw new TemplateError(`${name}() takes no arguments`);
  });
}

const REFUSED = ["to_bytes", "from_bytes", "as_integer_ratio", "hex", "fromhex"];

/** Attributes of ints, bools and floats. @returns undefined if there is no such attribute. */
export function numberAttribute(value: bigint | number, name: string): Value | undefined {
  if (REFUSED.includes(name)) return refuse(`${name}() of a number`);
  if (name === "real") return value;
  if (name === "imag") return typeof value === "bigint" ? 0n : 0;
  if (name === "conjugate") return constantMethod(name, value);
  if (typeof value === "number") {
    return name === "is_integer" ? constantMethod(name, Number.isInteger(value)) : undefined;
  }
  const magnitude = (value < 0n ? -value : value).toString(2);
  if (name === "numerator") return value;
  if (name === "denominator") return 1n;
  if (name === "bit_length") {
    return constantMethod(name, BigInt(value === 0n ? 0 : magnitude.length));
  }
  if (name !== "bit_count") return undefined;
  return constantMethod(name, BigInt(magnitude.replaceAll("0", "").length));
}
