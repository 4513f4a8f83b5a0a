import type { Generator } from "../tensor/random/generator.ts";

/** A variable's name: a key of the type that says the values of all variables. */
export type VariableName<V> = Extract<keyof V, string>;

declare const OF: unique symbol;

/** Says that a variable takes any value of a type; {@link anyValue} makes one. */
export type AnyValue<T = unknown> = "any" & { readonly [OF]?: T };

/**
 * What values a variable takes: a list of all of them; a function that draws one of too many to list;
 * or `"any"`, which nothing can be drawn from.
 */
export type Domain<T> = readonly T[] | ((generator: Generator) => T) | AnyValue<T> | "any";

/** The values of each variable. */
export type Domains<V> = { readonly [K in keyof V]: Domain<V[K]> };

/** What each variable is computed from, in the order of its function's parameters. */
export type ParentLists<V> = {
  readonly [K in keyof V]?: readonly VariableName<V>[];
};

/** Values of a list of variables, in its order. */
type ValuesOf<V, Names extends readonly unknown[]> = {
  [I in keyof Names]: Names[I] extends keyof V ? V[Names[I]] : never;
};

/** A list of parents whose length is known not to be 0. */
type SomeParents = readonly [unknown, ...unknown[]];

/**
 * How a variable is computed. Where the parents are known to the compiler, they are its parameters; else
 * each parameter is a value of some variable.
 */
type FunctionOf<V, K extends keyof V, Names> = Names extends SomeParents
  ? (...values: ValuesOf<V, Names>) => V[K]
  : Names extends readonly []
    ? () => V[K]
    : SomeFunction<V, V[K]>["compute"];

/** A method, whose parameters may be of narrower types than these. */
interface SomeFunction<V, Value> {
  /** Computes a variable from its parents. */
  compute(...values: V[keyof V][]): Value;
}

/**
 * How each variable is computed from its parents. An input's function takes nothing and gives its
 * default, and need not be there.
 */
export type CausalFunctions<V, P> = {
  readonly [
    K in keyof V as K extends keyof P ? (P[K] extends SomeParents ? K : never) : never
  ]: FunctionOf<V, K, P[K & keyof P]>;
} & {
  readonly [
    K in keyof V as K extends keyof P ? (P[K] extends SomeParents ? never : K) : K
  ]?: FunctionOf<V, K, K extends keyof P ? P[K] : readonly []>;
};

/** Keys that are none of the variables: a list of parents for them does not compile. */
type NoOthers<V, P> = { readonly [K in Exclude<keyof P, keyof V>]: never };

/** What a {@link CausalModel} is made of. */
export interface CausalModelOptions<V extends object, P extends ParentLists<V> = ParentLists<V>> {
  /** All variables, each with the values that it takes. */
  readonly values: Domains<V>;
  /** What each variable is computed from. One without parents is an input. */
  readonly parents: P & NoOthers<V, P>;
  /** How each variable is computed: called with the values of its parents, in their order. */
  readonly functions: CausalFunctions<NoInfer<V>, NoInfer<P>>;
  /**
   * When each variable is computed: every one after its parents.
   * @default the longest way from an input, and the last step for outputs
   */
  readonly timesteps?: { readonly [K in keyof NoInfer<V>]: number };
  /**
   * Draws values of a variable's parents that give a value of it, for parents whose values cannot be
   * listed, or to draw otherwise than uniformly among all that do.
   */
  readonly preimages?: {
    readonly [K in keyof NoInfer<V>]?: (
      value: NoInfer<V>[K],
      generator: Generator,
    ) => CausalSetting<NoInfer<V>>;
  };
  /**
   * What a variable's value is in a tensor: a number, or several.
   * @default numbers and lists of numbers are themselves, false and true are 0 and 1
   */
  readonly encoders?: {
    readonly [K in keyof NoInfer<V>]?: (value: NoInfer<V>[K]) => number | readonly number[];
  };
}

/** Values of some variables. */
export type CausalSetting<V> = Readonly<Partial<V>>;

/** For some variables, the setting whose run their value is taken from. */
export type CausalSources<V> = { readonly [K in VariableName<V>]?: CausalSetting<V> };

/**
 * An example of what a causal model says: plain data, which JSON keeps where the values are.
 *
 * A variable that is not in `sources` is not intervened on; without sources an example is a factual one.
 */
export interface CausalExample<V> {
  /** The inputs that are run. */
  readonly base: CausalSetting<V>;
  /** For each variable that is intervened on, the inputs whose run its value is taken from. */
  readonly sources: CausalSources<V>;
  /** The outputs with those values in place. */
  readonly label: CausalSetting<V>;
  /** The outputs of the base alone. */
  readonly baseLabel: CausalSetting<V>;
  /** The outputs of each source alone. */
  readonly sourceLabels: CausalSources<V>;
}
