import { zeros } from "../tensor/functions/creation.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Parameter } from "./parameter.ts";

let skipping = false;

/**
 * Builds modules whose parameters are zero instead of random, for values that are loaded next:
 * drawing random numbers for a large model takes seconds.
 */
export function withoutInit<T>(build: () => T): T {
  const outer = skipping;
  skipping = true;
  try {
    return build();
  } finally {
    skipping = outer;
  }
}

/** A parameter with the values of `init`, which is not called within {@link withoutInit}. */
export function initialized(shape: Shape, init: (shape: Shape) => Tensor): Parameter {
  return new Parameter(skipping ? zeros(shape) : init(shape));
}
