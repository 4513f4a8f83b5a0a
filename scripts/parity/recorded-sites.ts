import { EditScope, type Module, type Tensor } from "tsvene";
import { cardOf } from "../../src/models/registry.ts";

/** Where a recorded activation is: its name, and its component's place. */
interface Site {
  readonly name: string;
  readonly module: Module;
  readonly side: "input" | "output";
  readonly part: { readonly index: number; readonly of: number } | undefined;
}

function siteOf(model: Module, name: string): Site {
  const card = cardOf(model);
  const [, layer = "", component = ""] = /^act\.(\d+)\.(\w+)$/.exec(name) ?? [];
  const spec = card?.components.get(component);
  if (spec === undefined) throw new Error(`${name} is not a component of the model's card`);
  const path = spec.path.replaceAll("{layer}", layer);
  const found = [...model.namedModules()].find(([other]) => other === path);
  if (found === undefined) throw new Error(`${name}: the model has no module ${path}`);
  return { name, module: found[1], side: spec.side, part: spec.part };
}

/**
 * Traces a model and reads the named components (`act.LAYER.COMPONENT`) on the way.
 * @throws Error for a component that the model's card does not have, or that the trace never passes.
 */
export function readSites<T>(
  model: Module,
  names: readonly string[],
  trace: () => T,
): { readonly result: T; readonly values: ReadonlyMap<string, Tensor> } {
  const values = new Map<string, Tensor>();
  const scope = new EditScope();
  for (const { name, module, side, part } of names.map((n) => siteOf(model, n))) {
    scope.on(module, side, (value) => {
      values.set(
        name,
        part === undefined ? value : (value.chunk(part.of, -1)[part.index] ?? value),
      );
      return undefined;
    });
  }
  const result = scope.run(trace);
  const missed = names.filter((name) => !values.has(name));
  if (missed.length > 0) throw new Error(`never passed: ${missed.join(", ")}`);
  return { result, values };
}
