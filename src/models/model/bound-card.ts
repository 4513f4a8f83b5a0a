import { Module } from "../../nn/module.ts";
import { type ComponentSpec, type Counted, type ModelCard, withPrefix } from "./card.ts";
import type { ModelFamily } from "./family.ts";

/** One component of a model, with what its configuration says. */
export interface BoundComponent extends Omit<ComponentSpec<unknown>, "heads" | "dimension"> {
  /** Into how many heads the last dimension is split. */
  readonly heads: number | undefined;
  /** Size of the last dimension after `part` and `heads`; undefined where the inputs decide it. */
  readonly dimension: number | undefined;
}

/** The components of one model. */
export interface BoundCard {
  /** How many layers there are. */
  readonly layers: number;
  /** The components by name. */
  readonly components: ReadonlyMap<string, BoundComponent>;
  /** What positions count, by the path of a part. */
  readonly counts: Readonly<Record<string, Counted>>;
}

/** What a class of models may say of its components. */
interface Described {
  readonly card?: ModelCard<never>;
  /** Of models with a head, the property that holds the model without one. */
  readonly family?: Pick<ModelFamily, "basePrefix">;
}

/**
 * The components of a model: those of its class's `static readonly card`; else those of the model
 * without a head that it holds under the `basePrefix` of its class's family.
 *
 * @returns undefined for a model of a class that says nothing.
 */
export function cardOf(model: Module): BoundCard | undefined {
  const card = describedBy(model);
  return card && bind(card, (model as Module & { readonly config: never }).config);
}

function describedBy(model: Module): ModelCard<never> | undefined {
  const { card, family } = model.constructor as Described;
  if (card !== undefined || family === undefined) return card;
  const { basePrefix } = family;
  const base: unknown = Reflect.get(model, basePrefix);
  const inner = base instanceof Module ? (base.constructor as Described).card : undefined;
  return inner && withPrefix(basePrefix, inner);
}

function bind(card: ModelCard<never>, config: never): BoundCard {
  const entries = Object.entries<ComponentSpec<never>>(card.components);
  const components = new Map<string, BoundComponent>();
  for (const [name, { heads, dimension, ...place }] of entries) {
    components.set(name, {
      ...place,
      heads: heads?.(config),
      dimension: dimension(config),
    });
  }
  return { layers: card.layers(config), components, counts: card.counts ?? {} };
}
