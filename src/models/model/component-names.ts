import type { Module } from "../../nn/module.ts";

/** A place by the path of its module. */
export type ModulePath = `${string}.input` | `${string}.output`;

/**
 * What `component` may be for a model: the names that its class declares and module paths, or any
 * string where the model's type declares none.
 */
export type ComponentOf<M extends Module> = M extends {
  readonly "~components": infer Names extends string;
}
  ? Names | ModulePath
  : string;

/**
 * What `component` may be, given the names `Name` that a configuration is written with. Names that are
 * only known when the program runs are checked then.
 */
export type CheckedComponent<M extends Module, Name extends string> =
  ComponentOf<M> | (string extends Name ? Name : Name & ComponentOf<M>);
