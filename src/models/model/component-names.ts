import type { ModuleList } from "../../nn/module-list.ts";
import type { Module } from "../../nn/module.ts";

/**
 * A place by the path of its module, whatever modules there are: what says so at run time only, as
 * `path as ModulePath`, is not checked by the compiler.
 */
export type ModulePath = `${string}.input` | `${string}.output`;

/** The names that a model's class declares; any string where its type declares none. */
type NamesOf<M extends Module> = M extends { readonly "~components": infer Names extends string }
  ? Names
  : string;

/**
 * What `component` may be for a model: the names that its class declares and module paths, or any
 * string where the model's type declares none.
 */
export type ComponentOf<M extends Module> = M extends unknown
  ? string extends NamesOf<M>
    ? string
    : NamesOf<M> | ModulePath
  : never;

/**
 * What `component` may be, given the names `Name` that a configuration is written with: one that the
 * model's class declares, or the path of a module that its type has. What is a mere string to the
 * compiler is refused where the class declares names.
 */
export type CheckedComponent<M extends Module, Name extends string> = M extends unknown
  ? string extends NamesOf<M>
    ? Name & (Name extends ModulePath ? CheckedPath<M, Name> : Name)
    : NamesOf<M> | (Name & (Name extends ModulePath ? CheckedPath<M, Name> : never))
  : never;

/** Has no path as a name, so that only a pattern of paths asks nothing of it. */
type Unrelated = {
  /** Never there. */
  readonly "~"?: never;
};

/** The path, or never where it leads nowhere. One that is not known to the letter is not checked. */
type CheckedPath<M, Path extends ModulePath> =
  Unrelated extends Record<Path, 1>
    ? Path
    : Path extends `${infer Modules}.${"input" | "output"}`
      ? [At<M, Modules>] extends [never]
        ? never
        : Path
      : never;

/** The module at a path of segments such as `h[0]`; unknown below what the type does not tell. */
type At<M, Path extends string> = Path extends `${infer Head}.${infer Rest}`
  ? At<Step<M, Head>, Rest>
  : Step<M, Path>;

/** The module at one segment of a path; never where there is none. */
type Step<M, Segment extends string> = Segment extends `${infer Name}[${infer Index}]`
  ? Step<Step<M, Name>, Index>
  : M extends ModuleList<infer Item>
    ? Segment extends `${number}`
      ? Item
      : never
    : [ChildrenOf<M>] extends [never]
      ? unknown
      : Segment extends ChildrenOf<M>
        ? NonNullable<M[Segment]>
        : never;

/** Names of the modules in a module; never where its type does not tell. */
type ChildrenOf<M> = {
  [K in keyof M]-?: NonNullable<M[K]> extends Module ? K : never;
}[keyof M];
