import { describe, expect, test } from "vitest";
import {
  AutoTokenizer,
  CollectIntervention,
  findPositions,
  fromPyveneLocations,
  type IntervenableConfigLike,
  IntervenableModel,
  InterventionError,
  type LocationPair,
  type SubspacePartition,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2();
const base = ids([3, 1, 4, 1, 5, 9], [2, 7, 1, 8, 2, 8]);
const source = ids([6, 2, 8, 3, 1, 8], [5, 7, 7, 2, 1, 5]);
const at = { layer: 1, component: "mlp_output" } as const;

/** Where the base differs from what it was, row by row: the positions at which something was written. */
async function writtenAt(places: LocationPair): Promise<number[][]> {
  const collect = { ...at, intervention: CollectIntervention };
  const [before] = new IntervenableModel(collect, model).forward(base).collected;
  const config = [
    { ...at, intervention: VanillaIntervention, groupKey: 0 },
    { ...collect, groupKey: 0 },
  ];
  const { collected } = new IntervenableModel(config, model).forward(base, {
    sources: source,
    unitLocations: { "sources->base": { each: [places, null] } },
  });
  const moved = collected[0]
    ?.sub(before ?? 0)
    .abs()
    .sum({ dim: -1 })
    .gt(0);
  const rows = (await moved?.toArray()) as boolean[][];
  return rows.map((row) => row.flatMap((differs, position) => (differs ? [position] : [])));
}

describe("a list of places means the same whatever its length", () => {
  test.each<readonly [LocationPair, number[][]]>([
    [3, [[3], [3]]],
    [[3], [[3], [3]]],
    [
      [2, 3],
      [
        [2, 3],
        [2, 3],
      ],
    ],
    [
      [1, 2, 3],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    ],
    [
      [[3], [5]],
      [[3], [5]],
    ],
    [
      [[3], [5, 1]],
      [[3], [1, 5]],
    ],
    [{ source: 3, base: 5 }, [[5], [5]]],
    [
      { source: [3, 0], base: [5, 1] },
      [
        [1, 5],
        [1, 5],
      ],
    ],
    [{ source: [[3], [0]], base: [[5], [1]] }, [[5], [1]]],
  ])("%j", async (given, expected) => {
    expect(await writtenAt(given)).toStrictEqual(expected);
  });

  test("so that what findPositions returns is what it says", async () => {
    const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
    const prompt = "The capital of Spain is";
    for (const part of [" Spain", " of Spain", " capital of Spain"]) {
      const places = findPositions(tokenizer, prompt, part);
      expect(places).toHaveLength(part.split(" ").length - 1);
      expect(await writtenAt(places)).toStrictEqual([places, places]);
    }
    const prompts = [prompt, "The capital of Italy is"];
    const byRow = findPositions(tokenizer, prompts, ["Spain", "The"]);
    expect(byRow[0]).not.toStrictEqual(byRow[1]);
    expect(await writtenAt(byRow)).toStrictEqual(byRow);
  });
});

describe("fromPyveneLocations", () => {
  test.each<readonly [string, Readonly<Record<string, unknown>>, UnitLocations]>([
    ["one place", { "sources->base": 3 }, { "sources->base": 3 }],
    ["one place of the base", { base: 3 }, { base: 3 }],
    ["source and base", { "sources->base": [4, 5] }, { "sources->base": { source: 4, base: 5 } }],
    [
      "the base alone",
      { "sources->base": [null, 5] },
      { "sources->base": { source: null, base: 5 } },
    ],
    [
      "the source alone",
      { "sources->base": [4, null] },
      { "sources->base": { source: 4, base: null } },
    ],
    ["the base alone, under base", { base: [null, 5] }, { base: 5 }],
    ["three places", { "sources->base": [0, 2, 4] }, { "sources->base": [0, 2, 4] }],
    ["one place in a list", { "sources->base": [3] }, { "sources->base": [3] }],
    ["three heads of the base", { base: [0, 1, 2] }, { base: [0, 1, 2] }],
    [
      "lists [intervention][batch][unit]",
      { "sources->base": [[[[3], [3]]], [[[4], [5]]]] },
      { "sources->base": { source: [[3], [3]], base: [[4], [5]] } },
    ],
    [
      "of two interventions",
      {
        "sources->base": [
          [[[3]], [[0, 1]]],
          [[[4]], [[5, 6]]],
        ],
      },
      {
        "sources->base": {
          each: [
            { source: [[3]], base: [[4]] },
            { source: [[0, 1]], base: [[5, 6]] },
          ],
        },
      },
    ],
    [
      "null for an intervention",
      {
        "sources->base": [
          [[[3]], null],
          [[[4]], null],
        ],
      },
      { "sources->base": { each: [{ source: [[3]], base: [[4]] }, null] } },
    ],
    [
      "null for a side, and for an intervention of the other",
      { "sources->base": [null, [[[4]], null]] },
      { "sources->base": { each: [{ source: null, base: [[4]] }, null] } },
    ],
    [
      "null for one intervention of one side",
      {
        "sources->base": [
          [null, [[2]]],
          [[[4]], [[5]]],
        ],
      },
      {
        "sources->base": {
          each: [
            { source: null, base: [[4]] },
            { source: [[2]], base: [[5]] },
          ],
        },
      },
    ],
    [
      "lists [intervention][axis][batch][unit]",
      { "sources->base": [[[[[1]], [[3]]]], [[[[2]], [[4]]]]] },
      { "sources->base": { source: { axes: [[[1]], [[3]]] }, base: { axes: [[[2]], [[4]]] } } },
    ],
    ["lists of the base", { base: [[[0], [3]]] }, { base: [[0], [3]] }],
    ["lists of the base's axes", { base: [[[[1]], [[3]]]] }, { base: { axes: [[[1]], [[3]]] } }],
    [
      "lists of the base's interventions",
      { base: [[[0]], null] },
      { base: { each: [[[0]], null] } },
    ],
    [
      "stages",
      { "source_0->source_1": 1, "source_1->base": [[[[3]]], [[[4]]]] },
      { "source_0->source_1": 1, "source_1->base": { source: [[3]], base: [[4]] } },
    ],
    ["nothing", {}, {}],
  ])("reads %s", (_, given, expected) => {
    const before = JSON.stringify(given);
    expect(fromPyveneLocations(given)).toStrictEqual(expected);
    expect(JSON.stringify(given)).toBe(before);
  });

  test.each<readonly [string, Readonly<Record<string, unknown>>, RegExp]>([
    [
      "two places of the base, of which pyvene takes the last",
      { base: [0, 1] },
      /reads \{ base: \[0,1\] \} as position 1 only; write \{ base: 1 \} for that, or give the list/,
    ],
    ["a place that is true", { "sources->base": true }, /got true/],
    ["a place that is not whole", { "sources->base": [1.5, 2] }, /got 1.5/],
    ["a word", { base: "last" }, /"base": expected a place or lists of them, got "last"/],
    [
      "one side in a list",
      { "sources->base": [[[[3]]]] },
      /must be a place, places or \[source, base\]/,
    ],
    [
      "other numbers of interventions",
      { "sources->base": [[[[3]]], [[[4]], [[5]]]] },
      /other numbers of interventions in the source and in the base/,
    ],
    ["a row without a list", { "sources->base": [[[3]], [[4]]] }, /\[batch\]\[unit\] or \[axis\]/],
    ["an empty list", { base: [] }, /expected a place or lists of them, got \[\]/],
    [
      "a list of places for a side",
      {
        "sources->base": [
          [0, 2],
          [1, 3],
        ],
      },
      /write \{ source: .*base/,
    ],
  ])("refuses %s", (_, given, message) => {
    const read = (): unknown => fromPyveneLocations(given);
    expect(read).toThrow(message);
    expect(read).toThrow(InterventionError);
  });
});

test.each<readonly [string, unknown, RegExp]>([
  [
    "[null, base]",
    [null, 3],
    /got null; write \{ source, base \}, where null takes the whole tensor/,
  ],
  [
    "[source side, base side] in rows",
    [[0], [1], [2]],
    /3 rows, but the batch has 2; .*source and base as \{ source, base \}/,
  ],
  ["pyvene's lists", [[[[1], [2]]], [[[3], [4]]]], /read pyvene's lists with fromPyveneLocations/],
  ["undefined", undefined, /got undefined; null takes the whole tensor/],
])("what pyvene means by %s is refused with what to write", (_, given, message) => {
  const intervenable = new IntervenableModel({ ...at, intervention: VanillaIntervention }, model);
  const unitLocations = { "sources->base": given } as UnitLocations;
  expect(() => intervenable.forward(base, { sources: source, unitLocations })).toThrow(message);
});

test("a pair of dimensions is a range in a row, as in pyvene, and a list elsewhere", async () => {
  const logitsOf = (config: IntervenableConfigLike<"mlp_output">, subspaces: number | number[]) =>
    new IntervenableModel(config, model)
      .forward(base, { sources: source, unitLocations: { "sources->base": 3 }, subspaces })
      .intervened.logits.data();
  const parted = (...subspacePartition: SubspacePartition) => ({
    ...at,
    intervention: VanillaIntervention.with({ subspacePartition }),
  });
  const row = [1, "mlp_output", "pos", 1, null, VanillaIntervention, null, [[8, 12], [3]]] as const;
  const range = await logitsOf([row], 0);
  expect(range).toStrictEqual(await logitsOf(parted({ from: 8, to: 12 }), 0));
  expect(range).toStrictEqual(await logitsOf(parted([8, 9, 10, 11]), 0));
  const list = await logitsOf(parted([8, 12]), 0);
  expect(list).toStrictEqual(await logitsOf({ ...at, intervention: VanillaIntervention }, [8, 12]));
  expect(list).not.toStrictEqual(range);
  expect(await logitsOf([row], 1)).toStrictEqual(await logitsOf(parted([3]), 0));
});

test("subspaces of units, and not of rows, are refused", () => {
  const intervention = new ZeroIntervention({ embedDim: 24 });
  const units = model.forward(base).logits.slice(-1, 0, 24).slice(0, 0, 1);
  expect(() => intervention.forward(units, undefined, { subspaces: [[0], [1]] })).toThrow(
    /subspaces for 2 rows do not fit/,
  );
});
