import { readFile, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { rampColor } from "./color-ramp.ts";
import { heatMap, type HeatMapOptions } from "./heat-map.ts";
import { saveSvg } from "./save-svg.ts";
import { toSvg } from "./to-svg.ts";

const OPTIONS: HeatMapOptions = { rows: ["layer 0", "layer 1"], columns: ["the", " of", "the"] };
const VALUES = [
  [0, 0.25, 0.5],
  [0.75, 1, NaN],
];

/** Cells of a drawn map: what a screen reader says, and the colour as Vega writes it. */
function cellsOf(svg: string): [label: string, fill: string][] {
  const marks = svg.matchAll(
    /<path aria-label="([^"]*)"[^>]*aria-roledescription="rect mark"[^>]*>/g,
  );
  return [...marks].map(([mark, label = ""]) => [label, /fill="([^"]*)"/.exec(mark)?.[1] ?? ""]);
}

/** Texts of a kind of mark, in order. */
function textsOf(svg: string, role: string): string[] {
  const start = svg.indexOf(`class="mark-text ${role}`);
  const group = start < 0 ? "" : svg.slice(start, svg.indexOf("</g>", start));
  return [...group.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) => text);
}

function rgb(t: number): string {
  return `rgb(${rampColor("sequential", "paper", t).join(", ")})`;
}

/** Vega numbers the gradients of all drawings, so that several fit into one page. */
function withoutIds(svg: string): string {
  return svg.replaceAll(/gradient_\d+/g, "gradient");
}

describe("heatMap", () => {
  test("draws each number in its cell, on its colour", async () => {
    const svg = await toSvg(heatMap(VALUES, OPTIONS));
    expect(cellsOf(svg)).toEqual([
      ["layer 0, the: 0.00", rgb(0)],
      ["layer 0,  of: 0.25", rgb(0.25)],
      ["layer 0, the: 0.50", rgb(0.5)],
      ["layer 1, the: 0.75", rgb(0.75)],
      ["layer 1,  of: 1.00", rgb(1)],
      ["layer 1, the: no value", "#d3d6da"],
    ]);
    const written = textsOf(svg, "role-mark layer_1_marks");
    expect(written).toEqual(["0.00", "0.25", "0.50", "0.75", "1.00", "–"]);
  });

  test("keeps columns of one name apart", async () => {
    const svg = await toSvg(heatMap(VALUES, OPTIONS));
    expect(svg.match(/>the<\/text>/g)).toHaveLength(2);
    expect(svg.match(/>layer \d<\/text>/g)).toHaveLength(2);
  });

  test("writes no numbers where it is told so", async () => {
    const svg = await toSvg(heatMap(VALUES, { ...OPTIONS, showValues: false }));
    expect(cellsOf(svg)).toHaveLength(6);
    expect(svg).not.toContain("layer_1_marks");
  });

  test("puts the centre at the middle of the colours", async () => {
    const svg = await toSvg(heatMap([[-1, 3]], { rows: ["a"], columns: ["b", "c"], center: 0 }));
    const [low = "", high] = cellsOf(svg).map(([, fill]) => fill);
    expect(high).toBe(`rgb(${rampColor("diverging", "paper", 1).join(", ")})`);
    // A third of the way to the other end, between two steps of the gradient.
    const wanted = rampColor("diverging", "paper", 0.5 - 1 / 6);
    const got = low.match(/\d+/g)?.map(Number) ?? [];
    for (const [i, channel] of wanted.entries()) {
      expect(Math.abs(channel - (got[i] ?? Infinity))).toBeLessThan(4);
    }
  });

  test("says what it shows to those who cannot see it", async () => {
    const svg = await toSvg(
      heatMap(VALUES, { ...OPTIONS, title: "P < 1 & more", valueTitle: "p" }),
    );
    expect(svg).toContain("<title>P &lt; 1 &amp; more</title>");
    expect(svg).toMatch(
      /<desc>[^<]*2 rows by 3 columns of p[^<]*1\.00, is at layer 1,  of\.<\/desc>/,
    );
    const own = await toSvg(heatMap(VALUES, { ...OPTIONS, description: "my words" }));
    expect(own).toContain("<desc>my words</desc>");
  });

  test("changes nothing that it was given", () => {
    const values = Object.freeze(VALUES.map((row) => Object.freeze([...row])));
    const options = Object.freeze({ ...OPTIONS, domain: Object.freeze([0, 2] as const) });
    expect(() => heatMap(values, options)).not.toThrow();
  });

  test.each([
    [[[1]], { rows: ["a", "b"], columns: ["c"] }, /heatMap: 1 rows of values, but 2 names in rows/],
    [[[1]], { rows: ["a"], columns: ["b", "c"] }, /row 0 has 1 values, but there are 2 names/],
    [[[Infinity]], { rows: ["a"], columns: ["b"] }, /cannot colour Infinity; use NaN/],
    [[], { rows: [], columns: [] }, /at least one row and column/],
    [[[1]], { rows: ["a"], columns: ["b"], domain: [1, 0] as const }, /domain must be two numbers/],
    [[[1]], { rows: ["a"], columns: ["b"], digits: 1.5 }, /digits must be a whole number/],
    [[[1]], { rows: ["a"], columns: ["b"], center: NaN }, /center must be finite/],
  ])("refuses %j with %j", (values, options, message) => {
    expect(() => heatMap(values, options)).toThrow(message);
  });
});

describe("toSvg", () => {
  test("gives well-formed XML of balanced elements", async () => {
    const svg = await toSvg(heatMap(VALUES, { ...OPTIONS, title: '<b>&"', rowTitle: "r" }));
    const open: string[] = [];
    for (const [, close, name = "", empty] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^>]*?(\/?)>/g)) {
      if (close === "/") expect(open.pop()).toBe(name);
      else if (empty !== "/") open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg.replaceAll(/<[^>]*>/g, "")).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
  });

  test("is as wide as its text needs, in wider faces too", async () => {
    const title = "A title that is a good deal longer than the map is wide";
    const width = Number(
      /width="(\d+)"/.exec(
        await toSvg(heatMap([[1]], { rows: ["a"], columns: ["b"], title })),
      )?.[1],
    );
    expect(width).toBeGreaterThan(460);
    expect(width).toBeLessThan(520);
  });

  test("refuses what is no specification", async () => {
    await expect(toSvg({} as Parameters<typeof toSvg>[0])).rejects.toThrow(/specification/i);
  });
});

test("saveSvg makes directories and writes the drawing", async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "tsvene-plots-"));
  onTestFinished(async () => rm(directory, { recursive: true }));
  const file = path.join(directory, "a", "b.svg");
  const spec = heatMap(VALUES, OPTIONS);
  await saveSvg(file, spec);
  const written = await readFile(file, "utf8");
  expect(withoutIds(written)).toBe(withoutIds(`${await toSvg(spec)}\n`));
});
