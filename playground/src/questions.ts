import type { ContrastPair, Effects, NamedArray } from "tsvene";
import type { PlainEdits, WorkerModel } from "tsvene/worker";
import type { Cell, Picture } from "./picture.ts";

/** Both prompts as the model reads them, with what it says after them. */
export interface Prompts {
  readonly clean: Side;
  readonly corrupt: Side;
  /** Why no state of one can be put into the other. */
  readonly mismatch: string | undefined;
  readonly right: string;
  readonly wrong: string;
}

interface Side {
  readonly tokens: readonly string[];
  readonly top: readonly {
    readonly id: number;
    readonly token: string;
    readonly probability: number;
  }[];
}

const TOP = 8;

/** Reads both prompts; what is not said to be the answer is what the model thinks likeliest. */
export async function readPrompts(
  model: WorkerModel,
  { clean, corrupt, right, wrong }: Picture,
  signal: AbortSignal,
): Promise<Prompts> {
  for (const [name, text] of [
    ["first", clean],
    ["second", corrupt],
  ] as const) {
    if (text === "") {
      throw new Error(`The ${name} prompt is empty; write what the model should read.`);
    }
  }
  const read = async (text: string): Promise<Side> => {
    const { tokens } = await model.tokens(text, { signal });
    const { top } = await model.next(text, { signal, top: TOP });
    return { tokens, top: top[0] ?? [] };
  };
  const [first, second] = [await read(clean), await read(corrupt)];
  const answer = right || (first.top[0]?.token ?? "");
  const other = second.top.find(({ token }) => token !== answer)?.token ?? "";
  const [a, b] = [first.tokens.length, second.tokens.length];
  const mismatch =
    a === b
      ? undefined
      : `The first prompt has ${a} tokens and the second ${b}. States are put in position by position, so ` +
        "write them with as many tokens; the strips show where one has more.";
  return { clean: first, corrupt: second, mismatch, right: answer, wrong: wrong || other };
}

/** The pair that an analysis compares. */
export function pairOf({ clean, corrupt }: Picture, { right, wrong }: Prompts): ContrastPair {
  return { clean, corrupt, right, ...(wrong !== "" && wrong !== right && { wrong }) };
}

/** A result of several layers, some of which may be missing. */
export interface Rows {
  readonly layers: readonly (NamedArray | undefined)[];
  readonly effects: readonly (Effects | undefined)[];
}

/** The map of layers and positions, row by row. */
export async function mapRows(
  model: WorkerModel,
  { metric, component }: Picture,
  pair: ContrastPair,
  signal: AbortSignal,
  show: (rows: Rows) => void,
): Promise<Rows> {
  const effects: (Effects | undefined)[] = Array.from({ length: model.description.layers });
  const rows = (): Rows => ({
    effects: [...effects],
    layers: effects.map((one) => one?.change()),
  });
  for (const layer of effects.keys()) {
    effects[layer] = await model.sweep(
      [pair],
      { sites: { component, layer, position: "all" }, metric },
      { signal },
    );
    show(rows());
  }
  return rows();
}

/** What is lost with each head, when it has the states of the other prompt. */
export async function headRows(
  model: WorkerModel,
  { metric }: Picture,
  pair: ContrastPair,
  signal: AbortSignal,
): Promise<NamedArray> {
  const effects = await model.sweep(
    [pair],
    {
      sites: { component: "head_attention_value_output", layer: "all", head: "all" },
      direction: "noise",
      metric,
    },
    { signal },
  );
  return effects.change();
}

/** Patches of several cells as one call. */
export function patches(
  picture: Pick<Picture, "component" | "clean">,
  cells: readonly Cell[],
): PlainEdits {
  return {
    config: cells.map(({ layer }) => ({
      layer,
      component: picture.component,
      intervention: "VanillaIntervention",
    })),
    sources: picture.clean,
    unitLocations: { "sources->base": { each: cells.map(({ place }) => place) } },
  };
}
