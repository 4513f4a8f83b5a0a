import { type ComponentSpec, countsWithin, type ModelCard } from "./card.ts";

/**
 * The card of a part, as components of a model that holds it.
 *
 * @param path where the part is in the model.
 * @param config of the part, from the model's.
 */
export function cardWithin<Whole, Part, Name extends string>(
  path: string,
  card: ModelCard<Part, Name>,
  config: (whole: Whole) => Part,
): ModelCard<Whole, Name> {
  const moved = ({ heads, dimension, ...spec }: ComponentSpec<Part>): ComponentSpec<Whole> => ({
    ...spec,
    path: `${path}.${spec.path}`,
    dimension: (whole) => dimension(config(whole)),
    ...(heads && { heads: (whole: Whole) => heads(config(whole)) }),
  });
  const entries = Object.entries<ComponentSpec<Part>>(card.components);
  return {
    layers: (whole) => card.layers(config(whole)),
    counts: countsWithin(path, card.counts),
    components: Object.fromEntries(entries.map(([name, spec]) => [name, moved(spec)])) as ModelCard<
      Whole,
      Name
    >["components"],
  };
}
