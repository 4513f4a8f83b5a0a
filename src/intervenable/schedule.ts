import type { TraceStep } from "../models/generation/options.ts";
import { fail } from "../tensor/errors.ts";
import { PLAIN } from "./address.ts";
import { axesOf } from "./axes.ts";
import type { Action } from "./plan.ts";
import { type Rows, Selection } from "./selection.ts";

/** What is known of a generation before it starts. */
export interface GenerationFrame {
  readonly promptLength: number;
  /** Rows of the batch, each prompt counted once for each of its continuations. */
  readonly rows: number;
  readonly interveneOnPrompt: boolean;
  readonly useCache: boolean;
  /** New tokens at most, where the caller said. */
  readonly maxNewTokens: number | undefined;
}

/** Which of the source's units goes where. */
interface Placed {
  readonly column: number;
  /** Absolute, one for each row. */
  readonly positions: readonly number[];
}

const OP = "IntervenableModel.generate";

/**
 * When each edit is made while a text is generated. Positions are those of the whole text, prompt and
 * new tokens; an edit is made in each step that reads its position. Without locations, new tokens
 * are edited, and the prompt too with `interveneOnPrompt`. A lone position 0 without
 * `interveneOnPrompt` stands for every new token, as in pyvene.
 */
export class Schedule {
  readonly #actions: readonly Action[];
  readonly #frame: GenerationFrame;

  /** @throws TensorError for an edit that no step would make. */
  constructor(actions: readonly Action[], frame: GenerationFrame) {
    this.#actions = actions;
    this.#frame = frame;
    for (const action of actions) this.#refuseNever(action);
  }

  /** The edits of one step, in order. */
  at(step: TraceStep): Action[] {
    if (step.index === 0 && !this.#frame.interveneOnPrompt) return [];
    return this.#actions.flatMap((action) => this.#editAt(action, step) ?? []);
  }

  #editAt(action: Action, step: TraceStep): Action | undefined {
    const { edits } = action;
    if (edits === undefined) {
      const readsOld = !this.#frame.interveneOnPrompt && step.pastLength < step.promptLength;
      return readsOld ? this.#newTokensOnly(action, step) : action;
    }
    const level = positionLevel(edits);
    const rows = edits.levels[level];
    if (rows === undefined) return action;
    const placed = this.#placedAt(action, rows, step);
    if (placed.length === 0) return undefined;
    const local = rows.map((_, row) =>
      placed.map(({ positions }) => (positions[row] ?? 0) - step.pastLength),
    );
    const levels = edits.levels.map((other, i) => (i === level ? local : other));
    const columns = placed.map(({ column }) => column);
    const moved = { ...action, edits: new Selection(edits.axes, levels) };
    return takeColumns(moved, 1 + level, columns, rows[0]?.length ?? 0);
  }

  /** The units whose positions the step reads. */
  #placedAt({ key }: Action, rows: Rows, step: TraceStep): Placed[] {
    const end = step.promptLength + step.index;
    if (this.#meansEveryNewToken(rows)) {
      const start = Math.max(step.pastLength, step.promptLength);
      return Array.from({ length: end - start }, (_, i) => ({
        column: 0,
        positions: rows.map(() => start + i),
      }));
    }
    const units = Array.from({ length: rows[0]?.length ?? 0 }, (_, column) => ({
      column,
      positions: rows.map((row) => this.#absolute(row[column] ?? 0)),
    }));
    return units.filter(({ positions }) => {
      const read = positions.map((p) => p >= step.pastLength && p < end);
      if (new Set(read).size > 1) {
        fail(
          OP,
          `${key}: positions ${positions.join(", ")} of the rows are read in different steps; ` +
            `generate from these prompts one by one`,
        );
      }
      return read[0] === true;
    });
  }

  /** The whole tensor but the prompt, where the prompt is read again in every step. */
  #newTokensOnly(action: Action, { promptLength, index }: TraceStep): Action {
    if (action.site.layout.headsFirst) {
      fail(OP, `${action.key}: without a cache, attention weights need interveneOnPrompt: true`);
    }
    const positions = Array.from({ length: index }, (_, i) => promptLength + i);
    const rows = Array.from({ length: this.#frame.rows }, () => positions);
    const axes = axesOf("pos", { ...action.site, layout: PLAIN });
    return { ...action, edits: new Selection(axes, [rows]) };
  }

  #absolute(position: number): number {
    const { promptLength } = this.#frame;
    const at = position < 0 ? position + promptLength : position;
    if (at >= 0) return at;
    return fail(OP, `position ${position} is before the prompt of ${promptLength} tokens`);
  }

  #meansEveryNewToken(rows: Rows): boolean {
    const isZero = (row: readonly number[]): boolean => row.length === 1 && row[0] === 0;
    return !this.#frame.interveneOnPrompt && rows.every(isZero);
  }

  #refuseNever({ key, edits }: Action): void {
    const { promptLength, interveneOnPrompt, useCache, maxNewTokens } = this.#frame;
    const end = maxNewTokens === undefined ? Infinity : promptLength + maxNewTokens - 1;
    if (!interveneOnPrompt && end <= promptLength) {
      fail(
        OP,
        `${key} never fires: a single new token comes from the prompt alone, which is not edited; ` +
          `pass interveneOnPrompt: true, or generate more tokens`,
      );
    }
    const rows = edits?.levels[positionLevel(edits)];
    if (rows === undefined || this.#meansEveryNewToken(rows)) return;
    for (const position of rows.flat()) {
      const at = this.#absolute(position);
      if (at >= end) {
        fail(OP, `${key} never fires: ${maxNewTokens} new tokens never read position ${position}`);
      }
      if (!interveneOnPrompt && useCache && at < promptLength) {
        fail(
          OP,
          `${key} never fires: position ${position} is in the prompt of ${promptLength} tokens, ` +
            `which is read once and not edited; pass interveneOnPrompt: true`,
        );
      }
    }
  }
}

/** Which of the levels counts positions; -1 for none, as for whole heads. */
function positionLevel({ axes }: Selection): number {
  return axes.selected.findIndex(({ kind }) => kind === "position");
}

/** The action with those of its source's units that belong to the units edited now. */
function takeColumns(
  action: Action,
  dim: number,
  columns: readonly number[],
  units: number,
): Action {
  const { source } = action;
  const all = columns.length === units && columns.every((column, i) => column === i);
  // A vector holds for all units.
  if (all || source.kind !== "given" || source.value.ndim <= dim + 1) return action;
  return { ...action, source: { kind: "given", value: source.value.indexSelect(dim, columns) } };
}
