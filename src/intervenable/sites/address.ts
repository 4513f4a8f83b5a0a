import type { Module } from "../../nn/module.ts";
import type { Counted } from "../../models/model/card.ts";
import type { BoundCard, BoundComponent } from "../../models/model/bound-card.ts";
import { fail } from "../../interventions/errors.ts";
import { didYouMean } from "../../base/nearest.ts";

/** How the tensor at a site is laid out, beyond [batch, position, ...width]. */
export interface Layout {
  /** Which of several equal parts of the last dimension. */
  readonly part: { readonly index: number; readonly of: number } | undefined;
  /** How many heads the last dimension holds. */
  readonly heads: number | undefined;
  /** Whether dimension 1 is the heads: [batch, heads, query, key]. */
  readonly headsFirst: boolean;
  /** What keys count, where that is not what positions do. */
  readonly keys?: Counted | undefined;
}

/** One place of a model. */
export interface Site {
  /** The module whose input or output it is. */
  readonly module: Module;
  /** Whether it is the module's input or its output. */
  readonly side: "input" | "output";
  /** Path of the module in the model, such as "transformer.h.0.mlp". */
  readonly path: string;
  /** How the tensor is laid out. */
  readonly layout: Layout;
  /** Size of the last dimension, where the model's card says it. */
  readonly width: number | undefined;
  /** Whether the model's card says that the module runs at each time step. */
  readonly recurrent?: boolean;
  /** Whether units may have names of one's own there. */
  readonly ownUnits: boolean;
  /** What positions count there. */
  readonly counts: Counted;
  /** Where a component's output is what is added to the residual stream, or what is made of it. */
  readonly addition?: Addition | undefined;
}

/** The component that is what a module adds to the residual stream. */
export interface Addition {
  /** Name of that component. */
  readonly component: string;
  /** The module that makes it. */
  readonly module: Module;
  /** Whether it is that module's input or its output. */
  readonly side: "input" | "output";
}

/** What names a place of a model. */
export interface Address {
  /** Number of the layer, from 0. */
  readonly layer: number;
  /** Name of a component, or a module path. */
  readonly component: string;
  /** Number of the expert, where there are experts. */
  readonly moeKey?: number | undefined;
}

/** The layout of a tensor that nothing is known of. */
export const PLAIN: Layout = { part: undefined, heads: undefined, headsFirst: false };

const OP = "IntervenableModel";

/**
 * The place that a representation names: a component of the model's card, or a module path.
 * @throws InterventionError with the nearest names when there is none.
 */
export function resolveSite(
  model: Module,
  card: BoundCard | undefined,
  { layer, component, moeKey }: Address,
): Site {
  if (model.placeAt !== undefined) return ownSite(model.placeAt(component), component);
  const known = card?.components.get(component);
  if (card !== undefined && known !== undefined) {
    if (layer >= card.layers) {
      fail(
        OP,
        `layer ${layer} of ${component} is out of range: the model has layers 0 to ${card.layers - 1}`,
      );
    }
    const hasExperts = known.path.includes("{expert}");
    if (hasExperts === (moeKey === undefined)) {
      const text = hasExperts ? "is one for each expert: give" : "has no experts: leave out";
      fail(OP, `${component} ${text} moeKey`);
    }
    return componentSite(model, card, known, { layer, component, moeKey });
  }
  if (moeKey !== undefined) fail(OP, `"${component}" has no experts: leave out moeKey`);
  if (component.includes(".")) return pathSite(model, card, component);
  const name = model.constructor.name;
  if (card === undefined) {
    fail(
      OP,
      `${name} has no named components, so "${component}" means nothing; use a module path such as ` +
        `"${exampleOf(model)}.output", or give the class a static readonly card`,
    );
  }
  return fail(
    OP,
    `${name} has no component "${component}"; ${didYouMean(component, card.components.keys())}`,
  );
}

/** A value that the model itself has a name for. */
function ownSite(module: Module, path: string): Site {
  const about = { layout: PLAIN, width: undefined, ownUnits: true, counts: "text" } as const;
  return { module, side: "output", path, ...about };
}

function componentSite(
  model: Module,
  card: BoundCard,
  component: BoundComponent,
  { layer, moeKey, component: name }: Address,
): Site {
  const path = component.path
    .replaceAll("{layer}", String(layer))
    .replaceAll("{expert}", String(moeKey));
  const { side, part, heads, headsFirst = false, keys, dimension, recurrent = false } = component;
  return {
    module: walk(model, path.split("."), path),
    side,
    path,
    layout: { part, heads, headsFirst, keys },
    width: dimension,
    recurrent,
    ownUnits: component.ownUnits ?? dimension === undefined,
    counts: countedAt(card, path),
    addition: additionOf(model, card, layer, name),
  };
}

/** Of `mlp_output` that is `mlp_addition`, where there is one. */
function additionOf(
  model: Module,
  card: BoundCard,
  layer: number,
  component: string,
): Addition | undefined {
  if (!component.endsWith("_output")) return undefined;
  const name = component.replace(/_output$/, "_addition");
  const spec = card.components.get(name);
  const module = spec && childAt(model, spec.path.replaceAll("{layer}", String(layer)));
  return spec && module && { component: name, module, side: spec.side };
}

function pathSite(model: Module, card: BoundCard | undefined, address: string): Site {
  const segments = address.replaceAll(/\[(-?\d+)\]/g, ".$1").split(".");
  const side = segments.pop();
  if (side !== "input" && side !== "output") {
    walk(model, [...segments, side ?? ""], address);
    fail(OP, `"${address}" must say which side: write "${address}.input" or "${address}.output"`);
  }
  const module = walk(model, segments, address);
  const path = segments.join(".");
  const counts = countedAt(card, path);
  return { module, side, path, layout: PLAIN, width: undefined, ownUnits: true, counts };
}

/** What positions count at a path: what the card says of the longest path that it is in. */
function countedAt(card: BoundCard | undefined, path: string): Counted {
  const segments = path.split(".");
  let [longest, found]: [number, Counted] = [-1, "text"];
  for (const [part, counted] of Object.entries(card?.counts ?? {})) {
    const wanted = part === "" ? [] : part.split(".");
    const isIn = wanted.every((name, i) => name === "{layer}" || name === segments[i]);
    if (isIn && wanted.length > longest) [longest, found] = [wanted.length, counted];
  }
  return found;
}

/**
 * Size of the last dimension at a site that a module path names, if one of the card's components is
 * at that place.
 */
export function widthAt(
  model: Module,
  card: BoundCard | undefined,
  { module, side }: Site,
): number | undefined {
  for (const component of card?.components.values() ?? []) {
    const { path, part, heads = 1, headsFirst = false, dimension } = component;
    if (component.side !== side || headsFirst || dimension === undefined) continue;
    const layers = Array.from({ length: card?.layers ?? 0 }, (_, layer) => String(layer));
    if (layers.some((layer) => childAt(model, path.replaceAll("{layer}", layer)) === module)) {
      return dimension * heads * (part?.of ?? 1);
    }
  }
  return undefined;
}

function childAt(model: Module, path: string): Module | undefined {
  let module: Module | undefined = model;
  for (const name of path.split(".")) {
    module = module && new Map<string, Module>(module.namedChildren()).get(name);
  }
  return module;
}

/** The module at the end of a path, negative numbers counting from the end of a list. */
function walk(model: Module, segments: readonly string[], address: string): Module {
  let module = model;
  for (const [depth, segment] of segments.entries()) {
    if (module.placeAt !== undefined) return module.placeAt(segments.slice(depth).join("."));
    const children = new Map(module.namedChildren());
    const name = /^-\d+$/.test(segment) ? String(children.size + Number(segment)) : segment;
    const child = children.get(name);
    if (child === undefined) {
      const last = depth === segments.length - 1 ? ["input", "output"] : [];
      const where = segments.slice(0, depth).join(".") || model.constructor.name;
      fail(
        OP,
        `there is nothing at "${address}": ${where} has no ${JSON.stringify(segment)}; ` +
          didYouMean(segment, [...children.keys(), ...last]),
      );
    }
    module = child;
  }
  return module;
}

function exampleOf(model: Module): string {
  const [first] = [...model.namedModules()]
    .slice(1)
    .filter(([, m]) => [...m.namedChildren()].length === 0);
  return first?.[0] ?? "layer";
}
