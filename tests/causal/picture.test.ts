import { expect, test } from "vitest";
import { CausalModel } from "tsvene";

const truth = [false, true];
const model = new CausalModel({
  values: { A: truth, B: truth, C: truth, "D<&>": truth },
  parents: { C: ["A", "B"], "D<&>": ["C", "A"] },
  functions: { C: (a, b) => a && b, "D<&>": (c, a) => c || a },
});

/** The middle of each variable's name, and whether it is ringed. */
function nodes(svg: string): Record<string, { x: number; y: number; ringed: boolean }> {
  const found = svg.matchAll(
    /<g>(.*?)<text x="([\d.]+)" y="([\d.]+)"[^>]*><tspan font-weight="600">(.*?)<\/tspan>/g,
  );
  return Object.fromEntries(
    [...found].map(([, before = "", x, y, name = ""]) => [
      name,
      { x: Number(x), y: Number(y), ringed: before.split("<rect").length === 3 },
    ]),
  );
}

/** How many lines of edges have a width. */
function lines(svg: string, width: number): number {
  return svg.split(`fill="none" stroke="${width > 2 ? "#1b1e23" : "#a3abb8"}" stroke-width="${width}"`).length - 1; // prettier-ignore
}

test("time goes up, or to the right", () => {
  const { A, B, C, "D&lt;&amp;&gt;": D } = nodes(model.toSvg());
  expect(A?.y).toBe(B?.y);
  expect(A?.y).toBeGreaterThan(C?.y ?? Infinity);
  expect(C?.y).toBeGreaterThan(D?.y ?? Infinity);
  const right = nodes(model.toSvg({ direction: "right" }));
  expect(right["A"]?.x).toBeLessThan(right["C"]?.x ?? -Infinity);
});

test("values, rings and live edges show an interchange", () => {
  const svg = model.toSvg({
    setting: { A: false, B: true },
    sources: { C: { A: true, B: true } },
    title: "C of another run",
  });
  expect(Object.entries(nodes(svg)).filter(([, { ringed }]) => ringed)).toHaveLength(1);
  expect(nodes(svg)["C"]?.ringed).toBe(true);
  expect(svg).toContain("<title>C of another run</title>");
  expect(svg).toContain("C = true, from A, B, intervened on; D&lt;&amp;&gt; = true");
  // With C fixed at true, A changes nothing; only C would.
  expect([lines(svg, 2.6), lines(svg, 1.4)]).toEqual([1, 3]);
});

test("a picture without values has no live edges, and no legend", () => {
  const svg = model.toSvg();
  expect([lines(svg, 2.6), lines(svg, 1.4)]).toEqual([0, 4]);
  expect(svg).not.toContain("felt");
});
