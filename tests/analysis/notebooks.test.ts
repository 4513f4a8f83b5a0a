import { expect, test } from "vitest";
import { CausalModel, Effects, LensReading, NamedArray } from "tsvene";

const DISPLAY = Symbol.for("Jupyter.display");

/** What a notebook gets of an object. */
async function shown(object: object): Promise<Readonly<Record<string, string>>> {
  const { [DISPLAY]: display } = object as Record<symbol, () => Promise<Record<string, string>>>;
  return (await display?.call(object)) ?? {};
}

const axis = (name: string, count: number): { name: string; values: number[] } => ({
  name,
  values: Array.from({ length: count }, (_, i) => i),
});
const array = (...names: string[]): NamedArray =>
  new NamedArray({
    name: "effect",
    axes: names.map((name) => axis(name, 2)),
    values: Array.from({ length: 2 ** names.length }, (_, i) => i),
  });

test("results show their pictures and say themselves in words", async () => {
  const values = array("layer", "position", "example");
  const effects = new Effects({
    values,
    direction: "noise",
    clean: [1, 2],
    corrupt: [0, 0],
    isShare: false,
  });
  const truth = [false, true];
  const hypothesis = new CausalModel({
    values: { A: truth, B: truth },
    parents: { B: ["A"] },
    functions: { B: (a) => !a },
  });
  for (const object of [array("layer", "head"), effects, hypothesis]) {
    const { "image/svg+xml": svg, "text/plain": words, ...others } = await shown(object);
    expect(svg).toMatch(/^<svg/);
    expect(words).toBe(String(object));
    expect(others).toEqual({});
  }
  expect(DISPLAY in LensReading.prototype).toBe(true);
});

test("what has too many axes for a picture is shown in words", async () => {
  const many = array("layer", "head", "query", "key");
  expect(String(many)).toBe("effect: 2 layer x 2 head x 2 query x 2 key");
  expect(await shown(many)).toEqual({ "text/plain": String(many) });
});
