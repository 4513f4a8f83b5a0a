/**
 * What positions somewhere in a model count: the tokens of `inputIds` ("text"), which are gone on
 * from where the model writes; the same of an encoder, which reads them once ("source"); the tokens
 * of `decoderInputIds` ("target"); or no tokens at all, such as patches of an image ("other").
 */
export type Counted = "text" | "source" | "target" | "other";

/** One named place in the layers of a family, as pyvene names them. */
export interface ComponentSpec<Config> {
  /**
   * Path of the module within the model, `{layer}` standing for the layer's number, and `{expert}` for
   * the expert's, which a configuration gives as `moeKey`.
   */
  readonly path: string;
  /** Which side of the module. */
  readonly side: "input" | "output";
  /** Which of several equal parts of the last dimension, for fused projections. */
  readonly part?: { readonly index: number; readonly of: number };
  /** Split the last dimension into this many heads: [batch, heads, sequence, headDim]. */
  readonly heads?: (config: Config) => number;
  /** Whether dimension 1 already is the heads, as of attention weights [batch, heads, query, key]. */
  readonly headsFirst?: boolean;
  /** What the keys of attention weights count, where that is not what positions do. */
  readonly keys?: Counted;
  /** Whether the module runs at each time step, on [batch, width] without a position dimension. */
  readonly recurrent?: boolean;
  /**
   * Whether dimension 1, or 1 and 2, are others than positions and heads, so that a unit there has names
   * of your own. @default whether `dimension` is undefined
   */
  readonly ownUnits?: boolean;
  /** Size of the last dimension after `part` and `heads`; undefined where the inputs decide it. */
  readonly dimension: (config: Config) => number | undefined;
}

/**
 * The components of a family and how many layers there are: what `{ layer, component }` of an
 * intervention means. A class of models has it as `static readonly card`, which holds for subclasses
 * as well; the model's `config` is what the functions are given.
 *
 * A class tells the compiler the names in a field `"~components"`, which is a type alone: it is
 * declared, and has no value when the program runs. Models of a class that declares none take any
 * name, which is checked when the configuration is read.
 *
 * @example
 * ```ts
 * import { Linear, type ModelCard, Module, ModuleList, type Tensor } from "tsvene";
 * interface TowerConfig {
 *   readonly depth: number;
 *   readonly width: number;
 * }
 * class Tower extends Module {
 *   static readonly card: ModelCard<TowerConfig, "floor_output"> = {
 *     layers: ({ depth }) => depth,
 *     components: {
 *       floor_output: { path: "floors.{layer}", side: "output", dimension: ({ width }) => width },
 *     },
 *   };
 *   declare readonly "~components": "floor_output";
 *   readonly config: TowerConfig = { depth: 2, width: 4 };
 *   readonly floors = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
 *   override forward(x: Tensor): Tensor {
 *     return [...this.floors].reduce((y, floor) => floor.forward(y), x);
 *   }
 * }
 * ```
 */
export interface ModelCard<Config, Name extends string = string> {
  /** How many layers a model with these settings has. */
  readonly layers: (config: Config) => number;
  /**
   * What positions count, by module path; the longest path that a module is in holds, "" being the
   * whole model, and `{layer}` any number. @default { "": "text" }
   */
  readonly counts?: Readonly<Record<string, Counted>>;
  /** The components by name. */
  readonly components: { readonly [K in Name]: ComponentSpec<Config> };
}

/**
 * The place of attention weights, [batch, heads, queries, keys].
 *
 * @param path - Of the dropout that they are given to.
 * @param keys - What keys count, where that is not what positions do.
 */
export function attentionWeights<Config>(path: string, keys?: Counted): ComponentSpec<Config> {
  const place = { path, side: "input", headsFirst: true, dimension: () => undefined } as const;
  return keys === undefined ? place : { ...place, keys };
}

/** The same card for a model that holds the described one under a property. */
export function withPrefix<Config, Name extends string>(
  prefix: string,
  card: ModelCard<Config, Name>,
): ModelCard<Config, Name> {
  if (prefix === "") return card;
  const entries = Object.entries<ComponentSpec<Config>>(card.components);
  const components = Object.fromEntries(
    entries.map(([name, spec]) => [name, { ...spec, path: `${prefix}.${spec.path}` }]),
  ) as { readonly [K in Name]: ComponentSpec<Config> };
  return { ...card, components, counts: countsWithin(prefix, card.counts) };
}

/** What positions count in a part of a model, whose own answer holds for what is around it. */
export function countsWithin(
  path: string,
  counts: Readonly<Record<string, Counted>> = {},
): Readonly<Record<string, Counted>> {
  const entries = Object.entries(counts);
  return Object.fromEntries(
    entries.map(([inner, counted]) => [inner === "" ? "" : `${path}.${inner}`, counted]),
  );
}

/** The components that are in one part of a model, for a class that has no others. */
export function partOf<Inside extends string, Config>(
  part: string,
  card: ModelCard<Config>,
): ModelCard<Config, Inside> {
  const entries = Object.entries(card.components);
  const inside = entries.filter(([, { path }]) => path.startsWith(`${part}.`));
  const components = Object.fromEntries(inside) as ModelCard<Config, Inside>["components"];
  return { ...card, components };
}
