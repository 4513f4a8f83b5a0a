import { EditScope, type Module, stack, type Tensor } from "tsvene";
import { cardOf } from "../../src/models/model/bound-card.ts";

/** Where a recorded activation is: its name, and its component's place. */
interface Site {
  readonly name: string;
  readonly module: Module;
  readonly side: "input" | "output";
  readonly part: { readonly index: number; readonly of: number } | undefined;
}

function siteOf(model: Module, name: string): Site {
  const card = cardOf(model);
  const [, part = "", layer = "", own = ""] =
    /^act\.(encoder\.|decoder\.)?(?:(\d+)\.)?([\w.]+)$/.exec(name) ?? [];
  const component = part + own;
  const spec = card?.components.get(component);
  if (spec === undefined) throw new Error(`${name} is not a component of the model's card`);
  const path = spec.path.replaceAll("{layer}", layer);
  const found = [...model.namedModules()].find(([other]) => other === path);
  if (found === undefined) throw new Error(`${name}: the model has no module ${path}`);
  return { name, module: found[1], side: spec.side, part: spec.part };
}

/**
 * Traces a model and reads the named components on the way: `act.LAYER.COMPONENT`, `act.COMPONENT`,
 * or `act.encoder.LAYER.COMPONENT`. A module that runs at each time step gives
 * [batch, steps, width].
 * @throws Error for a component that the model's card does not have, or that the trace never passes.
 */
export function readSites<T>(
  model: Module,
  names: readonly string[],
  trace: () => T,
): { readonly result: T; readonly values: ReadonlyMap<string, Tensor> } {
  const calls = new Map<string, Tensor[]>();
  const scope = new EditScope();
  for (const { name, module, side, part } of names.map((n) => siteOf(model, n))) {
    scope.on(module, side, (value) => {
      const read = part === undefined ? value : (value.chunk(part.of, -1)[part.index] ?? value);
      calls.set(name, [...(calls.get(name) ?? []), read]);
      return undefined;
    });
  }
  const result = scope.run(trace);
  const missed = names.filter((name) => !calls.has(name));
  if (missed.length > 0) throw new Error(`never passed: ${missed.join(", ")}`);
  const values = new Map([...calls].map(([name, all]) => [name, joined(all)]));
  return { result, values };
}

function joined(calls: readonly Tensor[]): Tensor {
  const [only, second] = calls;
  return only !== undefined && second === undefined ? only : stack(calls, 1);
}
