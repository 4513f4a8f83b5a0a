import { describe, expect, test } from "vitest";
import { createRandom } from "./random.ts";

describe("createRandom", () => {
  test("gives mulberry32's numbers", () => {
    const random = createRandom(1);
    const drawn = [random.next(), random.next(), random.next()];
    expect(drawn).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });

  test("repeats with its seed and differs without", () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 20 }, () => random.integer(1000));
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("picks every item about equally often", () => {
    const random = createRandom(3);
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 4000; draw += 1) {
      const item = random.pick(["a", "b", "c", "d"]);
      counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["a", "b", "c", "d"]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  test("shuffles a copy", () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = createRandom(5).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    expect(items[0]).toBe(0);
  });

  test("refuses to pick from nothing", () => {
    expect(() => createRandom(1).pick([])).toThrow("pick: expected at least one item, got none");
  });
});
