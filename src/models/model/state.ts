import { Buffer } from "../../nn/buffer.ts";
import type { Module } from "../../nn/module.ts";
import { Parameter } from "../../nn/parameter.ts";

/** A property of a module in which a value is. */
export interface StatePlace {
  readonly name: string;
  readonly module: Module;
  readonly property: string;
}

/** A parameter, or a buffer that checkpoints hold. */
export interface StateEntry {
  /** All names it goes by; a shared one has several. */
  readonly names: readonly string[];
  /** Where it is, one for each name. */
  readonly places: readonly StatePlace[];
  readonly holder: Parameter | Buffer;
  /** Whether checkpoints hold it transposed. */
  readonly transposed: boolean;
}

interface Found extends StatePlace {
  readonly holder: Parameter | Buffer;
}

function* found(module: Module, prefix: string): Generator<Found> {
  for (const [property, holder] of Object.entries(module)) {
    const kept = holder instanceof Parameter || (holder instanceof Buffer && holder.persistent);
    if (kept) yield { name: prefix + property, module, property, holder };
  }
  for (const [name, child] of module.namedChildren()) yield* found(child, `${prefix}${name}.`);
}

/** What checkpoints hold of a model, each once, in the order of the modules. */
export function stateOf(model: Module): StateEntry[] {
  const places = new Map<Parameter | Buffer, StatePlace[]>();
  for (const { holder, ...place } of found(model, "")) {
    const known = places.get(holder);
    if (known === undefined) places.set(holder, [place]);
    else known.push(place);
  }
  return [...places].map(([holder, places]) => {
    const transposed = places.slice(0, 1).some(isTransposed);
    return { holder, places, names: places.map(({ name }) => name), transposed };
  });
}

function isTransposed({ module, property }: StatePlace): boolean {
  return module.transposedInCheckpoint.includes(property);
}
