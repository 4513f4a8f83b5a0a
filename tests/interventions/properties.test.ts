import { inspect } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  evaluate,
  Generator,
  GPT2LMHeadModel,
  IntervenableConfig,
  IntervenableModel,
  randn,
  type RepresentationConfig,
  SubtractionIntervention,
  tensor,
  type UnitLocations,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { type Matrix, type Place, ReferenceGPT2 } from "./reference-gpt2.ts";

const SIZES = { nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 13, nPositions: 6 } as const;
const LENGTH = 5;
const HEAD = SIZES.nEmbd / SIZES.nHead;

const model = new GPT2LMHeadModel(SIZES).eval();
const generator = new Generator(7);
for (const parameter of model.parameters()) {
  parameter.set(randn(parameter.shape, { generator }).mul(0.5));
}
const reference = await ReferenceGPT2.of(model);

const KINDS = {
  zero: ZeroIntervention,
  vanilla: VanillaIntervention,
  addition: AdditionIntervention,
  subtraction: SubtractionIntervention,
  collect: CollectIntervention,
} as const;
type Kind = keyof typeof KINDS;
const reads = (kind: Kind): boolean => kind !== "zero" && kind !== "collect";

const RESIDUAL: readonly Place[] = [
  "block_input",
  "attention_input",
  "attention_output",
  "mlp_input",
  "mlp_output",
  "block_output",
];
const SPLIT: readonly Place[] = [
  "query_output",
  "key_output",
  "value_output",
  "attention_value_output",
];

/** A vector within a row: all of a position, or one head of it. */
interface Unit {
  readonly position: number;
  readonly head: number | undefined;
}

interface Site {
  readonly layer: number;
  readonly place: Place;
}

/** One intervention, in the reference's terms and in the library's. */
interface Case {
  readonly kind: Kind;
  readonly group: number;
  /** Heads that each row names, or 1. */
  readonly heads: number;
  readonly site: Site;
  readonly sourceSite: Site;
  /** For each row, in order. */
  readonly units: readonly (readonly Unit[])[];
  readonly sourceUnits: readonly (readonly Unit[])[];
  readonly dimensions: readonly number[] | undefined;
  readonly config: RepresentationConfig;
  readonly base: unknown;
  readonly source: unknown;
}

interface Scenario {
  readonly mode: "parallel" | "serial";
  readonly cases: readonly Case[];
  readonly base: readonly (readonly number[])[];
  /** One for each group; null where nothing is read, or the group is skipped. */
  readonly sources: readonly (readonly (readonly number[])[] | null)[];
}

type Random = <T>(choices: readonly T[]) => T;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** `count` different numbers below `end`. */
function pick(random: Random, count: number, end: number): number[] {
  const left = upTo(end);
  return upTo(count).map(() => {
    const taken = random(left);
    left.splice(left.indexOf(taken), 1);
    return taken;
  });
}

/** Positions of each row, and how they are written: some negative, `"last"`, or `"all"`. */
function positions(
  random: Random,
  counts: readonly number[] | "all",
): { readonly rows: readonly number[][]; readonly written: unknown } {
  if (counts === "all") return { rows: [upTo(LENGTH), upTo(LENGTH)], written: "all" };
  const rows = counts.map((count) => pick(random, count, LENGTH));
  const written = rows.map((row) =>
    row.map((at) => random([at, at, at - LENGTH, at === LENGTH - 1 ? "last" : at])),
  );
  return { rows, written };
}

function makeCase(random: Random, group: number, kind: Kind): Case {
  const how = random(["pos", "pos", "h.pos", "h", "fused"] as const);
  const places = how === "pos" ? [...RESIDUAL, "mlp_activation" as const] : SPLIT;
  const site = { layer: random(upTo(SIZES.nLayer)), place: random(places) };
  // What is as wide as the MLP's inside is read there only.
  const narrow = how === "pos" ? RESIDUAL : SPLIT;
  const alike = site.place === "mlp_activation" ? [site.place] : narrow;
  const elsewhere = { layer: random(upTo(SIZES.nLayer)), place: random(alike) };
  const sourceSite = reads(kind) && random([true, false]) ? elsewhere : site;
  const isHead = how === "h" || how === "h.pos";
  const name = (place: Place): string => (isHead ? `head_${place}` : place);

  const whole = how === "h" || random([true, false, false]);
  const ragged = random([true, false]);
  const count = random([1, 2]);
  const counts = whole ? "all" : [count, ragged ? random([0, 1, 3]) : count];
  const [to, from] = [positions(random, counts), positions(random, counts)];
  const headCount = random([1, 2]);
  const heads = isHead ? upTo(2).map(() => pick(random, headCount, SIZES.nHead)) : undefined;
  const sourceHeads = isHead ? upTo(2).map(() => pick(random, headCount, SIZES.nHead)) : undefined;
  const units = (rows: readonly number[][], own: number[][] | undefined): Unit[][] =>
    rows.map((row, r) =>
      (own?.[r] ?? [undefined]).flatMap((head) => row.map((position) => ({ position, head }))),
    );
  const write = (written: unknown, own: number[][] | undefined): unknown => {
    if (how === "h") return own;
    return isHead ? { head: own, position: written } : written;
  };
  const width = isHead ? HEAD : SIZES.nEmbd;
  const dimensions = random([true, false, false]) ? pick(random, 2, width) : undefined;
  const linked = random([true, false]);
  return {
    kind,
    group,
    heads: isHead ? headCount : 1,
    site,
    sourceSite,
    units: units(to.rows, heads),
    sourceUnits: units(from.rows, sourceHeads),
    dimensions,
    base: write(to.written, heads),
    source: reads(kind) ? write(from.written, sourceHeads) : null,
    config: {
      layer: site.layer,
      component: name(site.place),
      unit: isHead ? how : "pos",
      groupKey: group,
      intervention: KINDS[kind],
      // They have no parameters, so that sharing them must change nothing.
      ...(linked && {
        interventionLinkKey: `${kind} ${isHead} ${site.place === "mlp_activation"}`,
      }),
      ...(sourceSite !== site && {
        source: { layer: sourceSite.layer, component: name(sourceSite.place) },
      }),
    },
  };
}

function scenarioOf(seed: number): Scenario {
  const rng = new Generator(seed);
  const random: Random = (choices) => {
    const chosen = choices[rng.integer(choices.length)];
    return chosen as (typeof choices)[number];
  };
  const batch = (): number[][] =>
    upTo(2).map(() => upTo(LENGTH).map(() => random(upTo(SIZES.vocabSize))));
  const mode = random(["parallel", "serial"] as const);
  const groups = random([1, 2, 3]);
  const cases = upTo(groups).flatMap((group) => {
    const first = random(["vanilla", "addition", "subtraction"] as const);
    const kinds = upTo(random([0, 1, 2])).map(() => random(Object.keys(KINDS) as Kind[]));
    // In serial mode each group needs a source, or there is nothing for those before to edit.
    const all = mode === "serial" || random([true, true, false]) ? [first, ...kinds] : kinds;
    return (all.length === 0 ? [first] : all).map((kind) => makeCase(random, group, kind));
  });
  const sources = upTo(groups).map((group) => {
    const needed = cases.some((c) => c.group === group && reads(c.kind));
    const skips = mode === "parallel" && random([false, false, true]);
    return needed && !skips ? batch() : null;
  });
  return { mode, cases, base: batch(), sources };
}

/** The numbers of a unit, and where they begin in their row. */
function sliceOf({ head }: Unit, row: readonly number[]): [start: number, end: number] {
  return head === undefined ? [0, row.length] : [head * HEAD, (head + 1) * HEAD];
}

/** What the reference's runs have read and collected, by intervention and row. */
interface Memory {
  readonly read: Map<Case, Matrix[]>;
  readonly collected: Map<Case, Matrix[]>;
}

/** One pass over all rows with the edits and reads of some interventions. */
function runReference(
  ids: readonly (readonly number[])[],
  edits: readonly Case[],
  readers: readonly Case[],
  { read, collected }: Memory,
): Matrix[] {
  for (const c of readers) read.set(c, []);
  for (const c of edits) if (c.kind === "collect") collected.set(c, []);
  return ids.map((row, r) =>
    reference.logits(row, (layer, place, value) => {
      let now = value.map((vector) => [...vector]);
      for (const c of edits) {
        const isHere = c.site.layer === layer && c.site.place === place;
        if (isHere) now = edit(c, r, now, read, collected);
      }
      for (const c of readers) {
        if (c.sourceSite.layer !== layer || c.sourceSite.place !== place) continue;
        read.get(c)?.push((c.sourceUnits[r] ?? []).map((unit) => take(unit, now)));
      }
      return now;
    }),
  );
}

function take(unit: Unit, value: Matrix): number[] {
  const row = value[unit.position] ?? [];
  return row.slice(...sliceOf(unit, row));
}

function edit(
  c: Case,
  r: number,
  value: number[][],
  read: Memory["read"],
  collected: Memory["collected"],
): number[][] {
  const units = c.units[r] ?? [];
  if (c.kind === "collect") {
    const chosen = units.map((u) => take(u, value));
    const { dimensions } = c;
    collected
      .get(c)
      ?.push(
        dimensions === undefined ? chosen : chosen.map((v) => dimensions.map((d) => v[d] ?? NaN)),
      );
    return value;
  }
  const result = value.map((vector) => [...vector]);
  for (const [u, unit] of units.entries()) {
    const row = result[unit.position] ?? [];
    const [start, end] = sliceOf(unit, row);
    for (let i = start; i < end; i++) {
      if (c.dimensions !== undefined && !c.dimensions.includes(i - start)) continue;
      const b = row[i] ?? NaN;
      const s = read.get(c)?.[r]?.[u]?.[i - start] ?? NaN;
      row[i] = { zero: 0, vanilla: s, addition: b + s, subtraction: b - s }[c.kind];
    }
  }
  return result;
}

/** The logits and what is collected, by the rules of both modes spelled out. */
function expectedOf({ mode, cases, base, sources }: Scenario): {
  readonly logits: Matrix[];
  readonly collected: readonly { readonly heads: number; readonly values: readonly Matrix[] }[];
} {
  const memory: Memory = { read: new Map(), collected: new Map() };
  const made = cases.filter((c) => !reads(c.kind) || sources[c.group] !== null);
  for (const [group, ids] of sources.entries()) {
    if (ids === null) continue;
    const before = mode === "serial" ? made.filter((c) => c.group === group - 1) : [];
    const readers = made.filter((c) => c.group === group && reads(c.kind));
    runReference(ids, before, readers, memory);
  }
  const last = mode === "serial" ? made.filter((c) => c.group === sources.length - 1) : made;
  const logits = runReference(base, last, [], memory);
  const collected = made.flatMap((c) => {
    const values = memory.collected.get(c);
    return values === undefined ? [] : [{ heads: c.heads, values }];
  });
  return { logits, collected };
}

function locationsOf({ mode, cases, sources }: Scenario): UnitLocations {
  const pair = (members: readonly Case[]): object => ({
    each: members.map((member) => ({ source: member.source, base: member.base })),
  });
  if (mode === "parallel") return { "sources->base": pair(cases) };
  const stages = upTo(sources.length).map((group) => [
    `source_${group}->${group === sources.length - 1 ? "base" : `source_${group + 1}`}`,
    pair(cases.filter((c) => c.group === group)),
  ]);
  return Object.fromEntries(stages) as UnitLocations;
}

const inputsOf = (rows: readonly (readonly number[])[]) => ({
  inputIds: tensor(
    rows.map((row) => [...row]),
    { dtype: "int64" },
  ),
});

async function actualOf(scenario: Scenario): Promise<{
  readonly logits: number[][][];
  readonly collected: readonly unknown[];
}> {
  const { mode, cases, base, sources } = scenario;
  const representations = cases.map(({ config }) => config);
  const config = new IntervenableConfig({ representations, mode });
  const intervenable = new IntervenableModel(config, model);
  const { intervened, collected } = intervenable.forward(inputsOf(base), {
    sources: sources.map((rows) => rows && inputsOf(rows)),
    unitLocations: locationsOf(scenario),
    subspaces: { each: cases.map(({ dimensions }) => dimensions) },
  });
  await evaluate(intervened.logits, ...collected);
  return {
    logits: await intervened.logits.toArray(3),
    collected: await Promise.all(collected.map((t) => t.toArray())),
  };
}

/** Largest difference of numbers at the same places, over the size of what is expected. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...actual.map((v, i) => Math.abs(v - (expected[i] ?? NaN)) / scale));
}

const deep = (value: unknown): number[] => [value].flat(9) as number[];

/** Collected rows side by side; those with fewer units than others are filled up with zeros. */
function filled(rows: readonly Matrix[], headsOfRow: number): number[] {
  const width = rows.flat()[0]?.length ?? 0;
  const most = Math.max(...rows.map((row) => row.length / headsOfRow));
  return rows.flatMap((row) =>
    upTo(headsOfRow).flatMap((head) => {
      const own = row.length / headsOfRow;
      const missing = Array.from({ length: (most - own) * width }, () => 0);
      return [...row.slice(head * own, (head + 1) * own).flat(), ...missing];
    }),
  );
}

test("the reference is the model", async () => {
  const { base } = scenarioOf(0);
  const logits = await model.forward(inputsOf(base)).logits.toArray();
  const expected = base.map((row) => reference.logits(row));
  expect(distance(deep(logits), deep(expected))).toBeLessThan(1e-5);
});

test("random interventions give what a model of plain numbers gives, recomputed place by place", async () => {
  let changed = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
      const scenario = scenarioOf(seed);
      const expected = expectedOf(scenario);
      const actual = await actualOf(scenario).catch((error: unknown) => {
        throw new Error(inspect(scenario, { depth: 9 }), { cause: error });
      });
      const difference = distance(deep(actual.logits), deep(expected.logits));
      expect(difference, inspect(scenario, { depth: 9 })).toBeLessThan(1e-4);
      expect(actual.collected).toHaveLength(expected.collected.length);
      for (const [i, rows] of expected.collected.entries()) {
        const numbers = filled(rows.values, rows.heads);
        expect(distance(deep(actual.collected[i]), numbers)).toBeLessThan(1e-4);
      }
      const clean = scenario.base.map((row) => reference.logits(row));
      if (distance(deep(actual.logits), deep(clean)) > 1e-3) changed++;
      seen.add(scenario.mode);
      for (const { kind, config } of scenario.cases) seen.add(kind).add(config.unit ?? "pos");
    }),
    { numRuns: 200, endOnFailure: true },
  );
  expect(changed).toBeGreaterThan(100);
  expect(seen).toStrictEqual(
    new Set(["parallel", "serial", ...Object.keys(KINDS), "pos", "h", "h.pos"]),
  );
}, 120_000);
