import { fail } from "../base/errors.ts";

/** What each variable is computed from. */
export type Parents = ReadonlyMap<string, readonly string[]>;

/** What is computed from each variable, in the order of the variables. */
export function childrenOf(parents: Parents): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>([...parents.keys()].map((name) => [name, []]));
  for (const [name, list] of parents) {
    for (const parent of list) children.get(parent)?.push(name);
  }
  return children;
}

/**
 * How many edges the longest way from an input to each variable has; outputs are moved to the last step.
 * @throws TsveneError for a cycle, which it names.
 */
export function longestWays(op: string, parents: Parents): Map<string, number> {
  const steps = new Map<string, number>();
  const onTheWay: string[] = [];
  const visit = (name: string): number => {
    const known = steps.get(name);
    if (known !== undefined) return known;
    if (onTheWay.includes(name)) refuseCycle(op, [...onTheWay, name]);
    onTheWay.push(name);
    const before = (parents.get(name) ?? []).map(visit);
    onTheWay.pop();
    const step = before.reduce((most, at) => Math.max(most, at + 1), 0);
    steps.set(name, step);
    return step;
  };
  for (const name of parents.keys()) visit(name);
  const last = Math.max(...steps.values());
  for (const [name, children] of childrenOf(parents)) {
    if (children.length === 0) steps.set(name, last);
  }
  return steps;
}

/** The way back from a variable to itself, read from cause to effect. */
function refuseCycle(op: string, way: readonly string[]): never {
  const cycle = way.slice(way.indexOf(way.at(-1) ?? "")).toReversed();
  fail(op, `the parents make a cycle, ${cycle.join(" -> ")}; a variable cannot depend on itself`);
}

/** @throws TsveneError where a variable is not computed after its parents. */
export function requireRising(
  op: string,
  parents: Parents,
  timesteps: ReadonlyMap<string, number>,
): void {
  for (const [name, list] of parents) {
    for (const parent of list) {
      const [from, to] = [timesteps.get(parent) ?? 0, timesteps.get(name) ?? 0];
      if (from < to) continue;
      fail(
        op,
        `timesteps: ${name} (${to}) must come after its parent ${parent} (${from}); leave timesteps out ` +
          "for the longest ways from the inputs",
      );
    }
  }
}
