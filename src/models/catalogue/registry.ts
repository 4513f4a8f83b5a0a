import type { Module } from "../../nn/module.ts";
import { type ComponentSpec, type Counted, type ModelCard, withPrefix } from "../model/card.ts";
import { FAMILIES } from "./families.ts";
import type { FamilyEntry } from "../model/family.ts";

/** A model that a card can describe. */
type Described<Config> = Module & { readonly config: Config };

type Constructor<Config = never> = abstract new (...args: never[]) => Described<Config>;

/** One component of a model, with what its configuration says. */
export interface BoundComponent extends Omit<ComponentSpec<unknown>, "heads" | "dimension"> {
  /** Into how many heads the last dimension is split. */
  readonly heads: number | undefined;
  /** Size of the last dimension after `part` and `heads`; undefined where the inputs decide it. */
  readonly dimension: number | undefined;
}

/** The components of one model. */
export interface BoundCard {
  readonly layers: number;
  readonly components: ReadonlyMap<string, BoundComponent>;
  /** What positions count, by the path of a part. */
  readonly counts: Readonly<Record<string, Counted>>;
}

const cards = new Map<unknown, ModelCard<never>>(FAMILIES.flatMap(cardsOf));

/** The cards of a family's classes: most of those with a head hold the one without. */
function cardsOf({ card, cards = {}, models }: FamilyEntry): [unknown, ModelCard<never>][] {
  const { base, ...heads } = models;
  const kinds = Object.keys(heads) as (keyof typeof heads)[];
  return kinds.reduce<[unknown, ModelCard<never>][]>(
    (known, kind) => {
      const head = heads[kind];
      // Some families have but one class, whatever it is for.
      if (head === undefined || head === base) return known;
      return [...known, [head, cards[kind] ?? withPrefix(head.family.basePrefix, card)]];
    },
    [[base, card]],
  );
}

/**
 * Gives the models of a class, and of its subclasses, named components, so that interventions can
 * be placed by `(layer, component)`. A card given again takes the place of the earlier one.
 *
 * @example
 * ```ts
 * import { Linear, Module, ModuleList, registerModel, type Tensor } from "tsvene";
 * class Tower extends Module {
 *   readonly config = { depth: 2, width: 4 };
 *   readonly floors = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
 *   override forward(x: Tensor): Tensor {
 *     return [...this.floors].reduce((y, floor) => floor.forward(y), x);
 *   }
 * }
 * registerModel(Tower, {
 *   layers: ({ depth }) => depth,
 *   components: {
 *     block_output: { path: "floors.{layer}", side: "output", dimension: ({ width }) => width },
 *   },
 * });
 * ```
 */
export function registerModel<Config>(
  constructor: Constructor<Config>,
  card: ModelCard<Config>,
): void {
  cards.set(constructor, card);
}

/** The components of a model, or undefined for one of a class that has no card. */
export function cardOf(model: Module): BoundCard | undefined {
  for (
    let prototype = Object.getPrototypeOf(model) as object | null;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const card = cards.get(prototype.constructor);
    if (card !== undefined) return bind(card, (model as Described<never>).config);
  }
  return undefined;
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
