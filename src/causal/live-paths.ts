import { fail } from "../base/errors.ts";
import { readSetting, run } from "./run.ts";
import { isSame } from "../base/same-value.ts";
import type { Structure } from "./structure.ts";

/** For each variable, those of its children that would change with it. */
export type LiveEdges = ReadonlyMap<string, readonly string[]>;

/**
 * The edges along which a change would be felt: some value of the parent, put into the setting, changes
 * the child.
 * @throws TsveneError where a parent's values are not listed.
 */
export function liveEdges(structure: Structure, op: string, setting: unknown): LiveEdges {
  const given = readSetting(structure, op, setting);
  const actual = run(structure, op, given);
  const live = new Map<string, readonly string[]>();
  for (const [name, { domain, children }] of structure.variables) {
    if (children.length === 0) continue;
    const others = domain.requireList(op, "whether a change would be felt");
    const runs = others.map((value) => run(structure, op, { ...given, [name]: value }));
    live.set(
      name,
      children.filter((child) => runs.some((total) => !isSame(total[child], actual[child]))),
    );
  }
  return live;
}

/** More paths than this are not listed: their number may double with every variable. */
const MOST_PATHS = 1_000_000;

/** All ways along live edges, by how many variables they have, from 2 on. */
export function livePaths(
  structure: Structure,
  op: string,
  setting: unknown,
): Map<number, string[][]> {
  const live = liveEdges(structure, op, setting);
  const paths = new Map<number, string[][]>();
  let last = [...structure.variables.keys()].map((name) => [name]);
  for (let length = 2; ; length++) {
    last = last.flatMap((path) =>
      (live.get(path.at(-1) ?? "") ?? []).map((child) => [...path, child]),
    );
    if (last.length === 0) return paths;
    if (last.length > MOST_PATHS) {
      fail(
        op,
        `there are more than ${MOST_PATHS} live paths of ${length} variables; use liveEdges`,
      );
    }
    paths.set(length, last);
  }
}

/** How many variables the longest way along live edges has; 1 where nothing is live. */
export function longestLivePath(structure: Structure, op: string, setting: unknown): number {
  const live = liveEdges(structure, op, setting);
  const longest = new Map<string, number>();
  for (const name of [...structure.variables.keys()].toReversed()) {
    const after = (live.get(name) ?? []).map((child) => longest.get(child) ?? 1);
    longest.set(name, 1 + Math.max(0, ...after));
  }
  return Math.max(...longest.values());
}

/** Whether there is a way along live edges. */
export function hasLivePath(
  structure: Structure,
  op: string,
  setting: unknown,
  [start, end]: readonly [string, string],
): boolean {
  const live = liveEdges(structure, op, setting);
  const seen = new Set<string>();
  const ahead = [start];
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    for (const child of live.get(name) ?? []) {
      if (child === end) return true;
      if (!seen.has(child)) ahead.push(child);
      seen.add(child);
    }
  }
  return false;
}
