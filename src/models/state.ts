import { Buffer } from "../nn/buffer.ts";
import type { Module } from "../nn/module.ts";
import { Parameter } from "../nn/parameter.ts";

/** A parameter, or a buffer that checkpoints hold. */
export interface StateEntry {
  /** All names it goes by; a shared one has several. */
  readonly names: readonly string[];
  readonly holder: Parameter | Buffer;
  /** Whether checkpoints hold it transposed. */
  readonly transposed: boolean;
}

function* named(module: Module, prefix: string): Generator<[string, Parameter | Buffer, boolean]> {
  for (const [name, value] of Object.entries(module)) {
    const kept = value instanceof Parameter || (value instanceof Buffer && value.persistent);
    if (kept) yield [prefix + name, value, module.transposedInCheckpoint.includes(name)];
  }
  for (const [name, child] of module.namedChildren()) yield* named(child, `${prefix}${name}.`);
}

/** What checkpoints hold of a model, each once, in the order of the modules. */
export function stateOf(model: Module): StateEntry[] {
  const entries = new Map<Parameter | Buffer, { names: string[]; transposed: boolean }>();
  for (const [name, holder, transposed] of named(model, "")) {
    const entry = entries.get(holder);
    if (entry === undefined) entries.set(holder, { names: [name], transposed });
    else entry.names.push(name);
  }
  return [...entries].map(([holder, entry]) => ({ holder, ...entry }));
}
