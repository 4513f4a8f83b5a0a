import { shown } from "../base/describe-value.ts";
import { show } from "../tensor/shape.ts";
import { Module } from "../nn/module.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Settings in a line, `name=value`; of tensors the shape, and nothing of those left open. */
export function describeOptions(options: object): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${text(value)}`)
    .join(", ");
}

function text(value: unknown): string {
  if (value instanceof Tensor) return `a tensor ${show(value.shape)}`;
  if (value instanceof Module) return `${value.constructor.name}(${value.describe()})`;
  return typeof value === "string" ? value : shown(value);
}
