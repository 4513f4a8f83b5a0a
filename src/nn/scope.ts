import { Tensor } from "../tensor/tensor.ts";

/** What a handler does at a site: gives another value in its place, or `undefined` to only read. */
export type SiteHandler = (value: Tensor, visit: Visit) => Tensor | undefined;

/** One passing of a value through a site. */
export interface Visit {
  /** How often the site was passed before in this trace: a recurrent cell's time step. */
  readonly call: number;
  /** Arguments of the module's `forward`, as the site's module got them. */
  readonly args: readonly unknown[];
}

/** The handlers of one site, and how often it was reached. */
interface Watch {
  /** In the order in which they are called. */
  readonly handlers: SiteHandler[];
  /** How often the site was reached in this trace. */
  calls: number;
}

/** Where a value is: a module's input or output, or a value that the module's code names. */
export type SiteName = "input" | "output" | (string & {});

/**
 * What is read and edited during one trace. Nothing is registered on a model: handlers live in the
 * scope, which is open while {@link EditScope.run} traces, so that traces cannot see each other's
 * edits and nothing has to be cleaned up.
 *
 * @example
 * ```ts
 * import { EditScope, Linear, tensor } from "tsvene";
 * const layer = new Linear(2, 3);
 * const scope = new EditScope().on(layer, "output", (y) => y.mul(0));
 * const y = scope.run(() => layer.forward(tensor([[1, 2]])));
 * ```
 */
export class EditScope {
  readonly #watches = new Map<object, Map<string, Watch>>();

  /** Calls `handler` whenever the value passes; several at one site run in the order given. */
  on(module: object, site: SiteName, handler: SiteHandler): this {
    const sites = this.#watches.get(module) ?? new Map<string, Watch>();
    this.#watches.set(module, sites);
    const watch = sites.get(site) ?? { handlers: [], calls: 0 };
    sites.set(site, watch);
    watch.handlers.push(handler);
    return this;
  }

  /**
   * Traces with this scope open. A scope opened within another passes values on to the outer one.
   * @throws TypeError when the trace returns a promise: another trace could then run in between.
   */
  run<T>(trace: () => T): T {
    for (const sites of this.#watches.values()) for (const watch of sites.values()) watch.calls = 0;
    const outer = current;
    current = { scope: this, outer };
    try {
      const result = trace();
      if (result instanceof Promise) {
        throw new TypeError(
          "EditScope.run: the trace returned a promise; a trace must be synchronous. " +
            "Await before it, or evaluate what it returns after it",
        );
      }
      return result;
    } finally {
      current = outer;
    }
  }

  /** Sites with handlers that the last trace never passed, as `[module, site]`. */
  unvisited(): [module: object, site: string][] {
    return [...this.#watches].flatMap(([module, sites]) =>
      [...sites].flatMap(([site, watch]): [object, string][] =>
        watch.calls === 0 ? [[module, site]] : [],
      ),
    );
  }

  /** @internal Whether the module or a value that it names has handlers. */
  watches(module: object): boolean {
    return this.#watches.has(module);
  }

  /** @internal The value that goes on from a site. */
  pass(module: object, name: string, value: Tensor, args: readonly unknown[]): Tensor {
    const watch = this.#watches.get(module)?.get(name);
    if (watch === undefined) return value;
    const visit = { call: watch.calls++, args };
    return watch.handlers.reduce((v, handler) => handler(v, visit) ?? v, value);
  }
}

/** The open scopes, innermost first. */
interface Frame {
  readonly scope: EditScope;
  readonly outer: Frame | undefined;
}

let current: Frame | undefined;

/** @internal Whether the trace under way reads or edits anything of a module. */
export function isWatched(module: object): boolean {
  for (let frame = current; frame !== undefined; frame = frame.outer) {
    if (frame.scope.watches(module)) return true;
  }
  return false;
}

/** @internal Whether a trace is under way that may read or edit something. */
export function isTraced(): boolean {
  return current !== undefined;
}

/** @internal The value that goes on from a site, through all open scopes. */
export function passSite(
  module: object,
  name: string,
  value: Tensor,
  args: readonly unknown[],
): Tensor {
  let result = value;
  for (let frame = current; frame !== undefined; frame = frame.outer) {
    result = frame.scope.pass(module, name, result, args);
  }
  return result;
}

/**
 * Names a value inside a module's `forward`, so that it can be read and edited there: attention
 * weights, gates. Returns what goes on.
 *
 * @example
 * ```ts
 * import { Module, site, type Tensor } from "tsvene";
 * class Gate extends Module {
 *   override forward(x: Tensor): Tensor {
 *     return x.mul(site(this, "gate", x.sigmoid()));
 *   }
 * }
 * ```
 */
export function site(module: object, name: string, value: Tensor): Tensor {
  return current === undefined ? value : passSite(module, name, value, []);
}

/** Applies `change` to the tensor of a value: itself, or the first one in it. */
export function changeFirst<T>(value: T, change: (tensor: Tensor) => Tensor): T {
  if (value instanceof Tensor) return change(value) as T & Tensor;
  if (Array.isArray(value)) {
    const [first, ...rest] = value as unknown[];
    return first instanceof Tensor ? ([change(first), ...rest] as T) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  for (const [key, part] of Object.entries(value)) {
    if (part instanceof Tensor) return { ...value, [key]: change(part) };
  }
  return value;
}
