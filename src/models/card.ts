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
  /** Whether the module runs at each time step, on [batch, width] without a position dimension. */
  readonly recurrent?: boolean;
  /** Size of the last dimension after `part` and `heads`; undefined where the inputs decide it. */
  readonly dimension: (config: Config) => number | undefined;
}

/** The components of a family and how many layers there are. */
export interface ModelCard<Config, Name extends string = string> {
  readonly layers: (config: Config) => number;
  readonly components: { readonly [K in Name]: ComponentSpec<Config> };
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
  return { ...card, components };
}
