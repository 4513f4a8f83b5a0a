import { type AxisValue, valueText } from "../../intervenable/grid/site-grid.ts";

/** An axis of a `NamedArray`. */
export interface NamedAxis {
  /** What it counts, such as `"layer"`. */
  readonly name: string;
  /** Its values in their order, each once. */
  readonly values: readonly AxisValue[];
  /** What the values are called in pictures, such as the tokens at positions. @default the values */
  readonly labels?: readonly string[];
}

/** What a value of an axis is called. */
export function labelsOf({ values, labels }: NamedAxis): readonly string[] {
  return labels ?? values.map(valueText);
}
