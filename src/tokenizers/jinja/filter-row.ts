import { bindArguments, type ParameterSpec } from "./bind-arguments.ts";
import { asText } from "./compare.ts";
import { print } from "./print.ts";
import type { Arguments, Run, Value } from "./values.ts";

/** What a filter makes of a value and what it is given. */
export type Filter = (run: Run, value: Value, given: Arguments) => Value;

/** A filter whose parameters have names. */
export function filter(
  name: string,
  parameters: readonly ParameterSpec[],
  apply: (run: Run, value: Value, ...given: Value[]) => Value,
): Filter {
  return (run, value, given) => apply(run, value, ...bindArguments(name, parameters, given));
}

/** The value as text, as most filters of texts take it. */
export function softText(run: Run, value: Value): string {
  return asText(value) ?? print(run, value);
}
