import { describe, expect, test } from "vitest";
import {
  AutoTokenizer,
  drawnExamples,
  type AlignmentBatch,
  type PromptExample,
  type PromptInputs,
  promptPairs,
  type PromptPairsOptions,
  type UnitLocations,
} from "tsvene";

const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const capital = (country: string): string => `The capital of ${country} is`;
const longer = (country: string): string => `Everybody knows that the capital of ${country} is`;
const idOf = (text: string): number => tokenizer.encode(text).at(-1) ?? -1;

const examples: PromptExample[] = [
  {
    base: capital("Spain"),
    sources: { country: capital("Italy") },
    label: " Rome",
    baseLabel: " Madrid",
    sourceLabels: { country: " Rome" },
  },
  {
    base: longer("France"),
    sources: { country: capital("Spain") },
    label: " Madrid",
    baseLabel: " Paris",
    sourceLabels: { country: " Madrid" },
  },
];

const country = (prompt: string): string => /of (\w+)/.exec(prompt)?.[1] ?? "";

function batchOf(
  given: readonly PromptExample[],
  options: PromptPairsOptions,
  indices = given.map((_, i) => i),
): AlignmentBatch<PromptInputs> {
  return promptPairs(tokenizer, given, options).batch(indices);
}

interface Sides {
  readonly source: number[][];
  readonly base: number[][];
}
const placesIn = ({ unitLocations }: AlignmentBatch): unknown => unitLocations?.["sources->base"];
const sidesOf = (batch: AlignmentBatch): Sides => placesIn(batch) as Sides;

/** What the tokens at these places of the padded rows read. */
async function readAt(inputs: PromptInputs | undefined, places: number[][]): Promise<string[]> {
  const rows = (await inputs?.inputIds.toArray()) ?? [];
  return rows.map((row, i) => tokenizer.decode((places[i] ?? []).map((at) => row[at] ?? -1)));
}

describe("positions", () => {
  test.each(["left", "right"] as const)(
    "of words are found in padded rows, padded on the %s",
    async (paddingSide) => {
      const batch = batchOf(examples, { positions: country, paddingSide });
      const { source, base } = sidesOf(batch);
      expect(await readAt(batch.base, base)).toEqual([" Spain", " France"]);
      expect(await readAt(batch.sources["country"], source)).toEqual([" Italy", " Spain"]);
      expect(batch.base.inputIds.shape).toEqual(batch.sources["country"]?.inputIds.shape);
    },
  );

  test("count the prompt's own tokens, from either end, and last is the last", async () => {
    for (const [positions, base, source] of [
      ["last", [" is", " is"], [" is", " is"]],
      [0, ["The", "Every"], ["The", "The"]],
      [-2, [" Spain", " France"], [" Italy", " Spain"]],
      [
        ["last", -2],
        [" is Spain", " is France"],
        [" is Italy", " is Spain"],
      ],
      [{ part: "capital" }, [" capital", " capital"], [" capital", " capital"]],
      [{ source: "last", base: country }, [" Spain", " France"], [" is", " is"]],
    ] as [PromptPairsOptions["positions"], string[], string[]][]) {
      const batch = batchOf(examples, { positions });
      const sides = sidesOf(batch);
      const first = tokenizer.decode([tokenizer.encode(longer("France"))[0] ?? 0]);
      expect(await readAt(batch.base, sides.base)).toEqual(
        base.map((word) => (word === "Every" ? first : word)),
      );
      expect(await readAt(batch.sources["country"], sides.source)).toEqual(source);
    }
  });

  test("may be those of one of several occurrences, and differ by variable", async () => {
    const twice: PromptExample = {
      base: "Spain is Spain",
      sources: { a: "Italy is Italy", b: "France is France" },
      label: 3,
    };
    const batch = batchOf([twice], {
      positions: {
        each: {
          a: (prompt) => ({ part: prompt.split(" ")[0] ?? "", occurrence: 1 }),
          b: { source: "last", base: " is" },
        },
      },
    });
    const { each } = placesIn(batch) as { each: Record<string, Sides> };
    expect(await readAt(batch.sources["a"], each["a"]?.source ?? [])).toEqual([" Italy"]);
    expect(await readAt(batch.base, each["a"]?.base ?? [])).toEqual([" Spain"]);
    expect(await readAt(batch.sources["b"], each["b"]?.source ?? [])).toEqual([" France"]);
    expect(await readAt(batch.base, each["b"]?.base ?? [])).toEqual([" is"]);
  });

  test("a function is told of the example, the variable and the side", () => {
    const seen: unknown[] = [];
    batchOf([examples[0] as PromptExample], {
      positions: (prompt, context) => {
        seen.push([prompt, context.side, context.variable, context.index, context.example.label]);
        return "last";
      },
    });
    expect(seen).toEqual([
      [capital("Italy"), "source", "country", 0, " Rome"],
      [capital("Spain"), "base", "country", 0, " Rome"],
    ]);
  });

  test("stand beside heads, and null is the whole tensor", () => {
    const batch = batchOf(examples, { positions: { head: [0, 2], position: country } });
    const { source } = placesIn(batch) as { source: Record<string, unknown> };
    expect(source["head"]).toEqual([0, 2]);
    expect(source["position"]).toHaveLength(2);
    const all = batchOf(examples, { positions: { head: 1, position: "all" } });
    expect((all.unitLocations as UnitLocations)["sources->base"]).toEqual({
      source: { head: 1, position: "all" },
      base: { head: 1, position: "all" },
    });
    expect(batchOf(examples, { positions: null }).unitLocations).toBeUndefined();
  });
});

describe("batches", () => {
  test("have one length and a mask where some prompt is shorter, and none where all are as long", async () => {
    const data = promptPairs(tokenizer, examples, { positions: "last" });
    const [one, both] = [data.batch([0]), data.batch([1, 0])];
    expect(one.base.inputIds.size(1)).toBe(both.base.inputIds.size(1));
    const own = tokenizer.encode(capital("Spain")).length;
    expect(await one.base.attentionMask?.sum().item()).toBe(own);
    const even = batchOf([examples[0] as PromptExample], { positions: "last" });
    expect(even.base.attentionMask).toBeUndefined();
  });

  test("have labels of the example, of the base and of the sources", async () => {
    const { labels, baseLabels, sourceLabels, indices } = batchOf(
      examples,
      { positions: "last" },
      [1, 0],
    );
    expect(indices).toEqual([1, 0]);
    expect(await labels.toArray()).toEqual([idOf(" Madrid"), idOf(" Rome")]);
    expect(await baseLabels?.toArray()).toEqual([idOf(" Paris"), idOf(" Madrid")]);
    expect(await sourceLabels?.["country"]?.toArray()).toEqual([idOf(" Madrid"), idOf(" Rome")]);
    expect(labels.dtype).toBe("int64");
  });

  test("say where answers are predicted, unless that is the last position", () => {
    const left = batchOf(examples, { positions: "last", paddingSide: "left" });
    expect(left.labelPositions).toBeUndefined();
    const right = batchOf(examples, { positions: "last", paddingSide: "right" });
    const [short, long] = [capital("Spain"), longer("France")].map(
      (text) => tokenizer.encode(text).length,
    ) as [number, number];
    expect(right.labelPositions).toEqual([short - 1, long - 1]);
    expect(right.sourceLabelPositions?.["country"]).toEqual([short - 1, short - 1]);
    const earlier = batchOf(examples, {
      positions: "last",
      labelPosition: -2,
      paddingSide: "left",
    });
    expect(earlier.labelPositions).toEqual([long - 2, long - 2]);
  });

  test("mix examples with different sources; rows say which, and the base stands in", async () => {
    const mixed: PromptExample[] = [
      { base: capital("Spain"), sources: { a: capital("Italy") }, label: 1 },
      { base: longer("France"), sources: { b: capital("Kenya") }, label: 2 },
      { base: capital("Peru"), sources: {}, label: 3 },
    ];
    const data = promptPairs(tokenizer, mixed, { positions: country });
    const { rows, sources, base } = data.batch([0, 1, 2]);
    expect(rows).toEqual({ a: [true, false, false], b: [false, true, false] });
    const [ofBase, ofA] = await Promise.all([
      base.inputIds.toArray(),
      sources["a"]?.inputIds.toArray() ?? [],
    ]);
    expect(ofA[1]).toEqual(ofBase[1]);
    expect(ofA[2]).toEqual(ofBase[2]);
    expect(ofA[0]).not.toEqual(ofBase[0]);
    expect(data.variables?.(1)).toEqual(["b"]);
    expect(batchOf(examples, { positions: "last" }).rows).toBeUndefined();
  });

  test("of homogeneous data have one set of variables", () => {
    const mixed: PromptExample[] = [
      { base: capital("Spain"), sources: { a: capital("Italy") }, label: 1 },
      { base: capital("Peru"), sources: { b: capital("Kenya") }, label: 2 },
    ];
    const data = promptPairs(tokenizer, mixed, { positions: "last", mode: "homogeneous" });
    expect(data.batch([1]).rows).toEqual({ a: [false], b: [true] });
    expect(() => data.batch([0, 1])).toThrow(
      /example 0 intervenes on a, example 1 intervenes on b.*groupBy: "variables"/,
    );
  });

  test("of examples drawn when they are asked for are the same as of a list", async () => {
    const names = ["Spain", "Italy", "France", "Kenya"];
    const drawn = drawnExamples(1_000_000, (generator): PromptExample => {
      const [a, b] = [names[generator.integer(4)] ?? "", names[generator.integer(4)] ?? ""];
      return { base: capital(a), sources: { country: longer(b) }, label: 5 };
    });
    const options = { positions: country, length: 16 };
    const lazy = promptPairs(tokenizer, drawn, options).batch([999_999, 5]);
    const list = [drawn.at(999_999), drawn.at(5)].flatMap((example) => example ?? []);
    const eager = batchOf(list, options);
    expect(await lazy.base.inputIds.toArray()).toEqual(await eager.base.inputIds.toArray());
    expect(lazy.unitLocations).toEqual(eager.unitLocations);
    expect(lazy.base.attentionMask).toBeDefined();
  });
});

test("keys are the same for equal pairs only", () => {
  const [one] = examples as [PromptExample];
  const same = { ...one, label: 4 };
  const other = { ...one, base: capital("Kenya") };
  const data = promptPairs(tokenizer, [one, same, other], { positions: "last" });
  expect(data.key?.(1)).toBe(data.key?.(0));
  expect(data.key?.(2)).not.toBe(data.key?.(0));
});

describe("refuses", () => {
  const [first] = examples as [PromptExample];
  const refused = (example: object, options: object, message: RegExp): void => {
    expect(() =>
      batchOf([first, { ...first, baseLabel: 1, ...example }], {
        positions: "last",
        ...options,
      }),
    ).toThrow(message);
  };

  test("a part that is not in a prompt, with the prompt", () => {
    refused(
      { base: capital("Kenya") },
      { positions: { source: "last", base: "Spain" } },
      /^promptPairs: example 1, base "The capital of Kenya is": there is no "Spain" in the prompt/,
    );
    refused(
      {},
      { positions: 40 },
      /source of country "The capital of Italy is" has no position 40; it has/,
    );
    refused(
      {},
      { positions: 1.5 },
      /a position is a whole number, "last", or a part of the prompt, got 1.5/,
    );
    refused({}, { positions: () => [] }, /there is no position/);
  });

  test("other numbers of positions in source and base", () => {
    refused(
      { base: capital("Kyrgyzstan") },
      { positions: country },
      /example 1, source of country .* has 1 positions \(\d+\), but its base .* has [2-9]/,
    );
  });

  test("labels of several tokens, and those out of the vocabulary", () => {
    refused(
      { label: " Constantinople?" },
      {},
      /example 1: label " Constantinople\?" is \d+ tokens \(/,
    );
    refused({ label: "Rome" }, {}, /most words have a space before them: " Rome"/);
    const { vocabSize } = tokenizer;
    refused(
      { label: vocabSize },
      {},
      /example 1: label must be one of \d+ tokens of the vocabulary/,
    );
    refused({ baseLabel: -1 }, {}, /example 1: baseLabel must be one of/);
    for (const label of [2, " Rome"]) {
      const plain = { base: capital("Spain"), sources: {}, label };
      expect(() => batchOf([plain], { positions: "last", numLabels: 2 })).toThrow(
        /label must be one of 2 classes, 0 to 1; got/,
      );
    }
  });

  test("what is no example, and wrong options", () => {
    refused({ base: 3 }, {}, /example 1: its base must be a text, got/);
    refused({ sources: { country: ["a"] } }, {}, /its source of country must be a text/);
    refused({ sources: [capital("Italy")] }, {}, /example 1: sources are by variable/);
    refused({ label: undefined }, {}, /example 1 has no label/);
    refused({ baseLabel: undefined }, {}, /example 1 has no baseLabel, but others have/);
    refused({}, { position: "last" }, /there is no option position; did you mean positions/);
    refused({}, { positions: undefined }, /positions are missing/);
    refused(
      {},
      { positions: { each: { contry: "last" } } },
      /no example has a source of contry; did you mean country/,
    );
    refused(
      {},
      { positions: { source: null, base: "last" } },
      /of both source and base, or of neither/,
    );
    refused({}, { positions: { heads: 1, position: 2 } }, /no axis "heads"; did you mean head/);
    refused({}, { labelPosition: [0, 1] }, /labelPosition must be one position, got 0, 1/);
    refused(
      {},
      { variables: ["subject"] },
      /a source of country, which is none of the variables subject/,
    );
    refused({}, { mode: "both" }, /mode must be one of/);
    refused({}, { length: 2 }, /make \{ length: 2 \} greater/);
    expect(() => promptPairs(tokenizer, [], { positions: "last" })).toThrow(
      /there are no examples/,
    );
    expect(() => batchOf(examples, { positions: "last" }, [2])).toThrow(
      /there is no example 2; there are 2/,
    );
    expect(() => batchOf(examples, { positions: "last" }, [])).toThrow(/takes numbers of examples/);
    const drawn = drawnExamples(3, () => first);
    expect(() => promptPairs(tokenizer, drawn, { positions: "last" })).toThrow(/need \{ length \}/);
    expect(() => promptPairs("gpt2" as never, examples, { positions: "last" })).toThrow(
      /first a tokenizer/,
    );
  });
});
