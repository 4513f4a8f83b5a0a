import { range } from "../../base/lists.ts";
import type { Counted } from "../../models/model/card.ts";
import type { TraceStep } from "../../models/generation/options.ts";
import { fail } from "../../interventions/errors.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PLAIN } from "../sites/address.ts";
import { type Axis, type AxisKind, axesOf, type UnitAxes } from "../sites/axes.ts";
import type { Action } from "../call/plan.ts";
import { type Rows, Selection } from "../units/selection.ts";

/** What is known of a generation before it starts. */
export interface GenerationFrame {
  readonly promptLength: number;
  /** Rows of the batch, each prompt counted once for each of its continuations. */
  readonly rows: number;
  readonly useCache: boolean;
  /** Steps that there will be, which is new tokens at most. */
  readonly steps: number;
  /**
   * Whether nothing was said of steps: then locations have pyvene's meanings, where a lone 0 stands
   * for every new token, and passes without a cache edit the prompt when they read it again.
   */
  readonly byDefault: boolean;
  /** Names of the interventions at places that an encoder passes, before anything is written. */
  readonly encoded: ReadonlySet<string>;
}

/** What is done for one intervention, by step; undefined where it is left out. */
export type Steps = readonly (Action | undefined)[];

/** Units of each row that are edited in a pass. */
interface Placed {
  /** Which of the row's units. */
  readonly columns: Rows;
  /** Where they are, absolute. */
  readonly positions: Rows;
}

const OP = "IntervenableModel.generate";

/**
 * When each edit is made while a text is generated. Positions are those of the whole text, prompt and
 * new tokens. A position belongs to the step that reads it first, and it is edited in every pass that
 * reads it if that step is among the edit's steps, so that a cache changes speed and nothing else.
 */
export class Schedule {
  readonly #interventions: readonly Steps[];
  /** What is done first for each intervention, which says what its place counts. */
  readonly #firsts: readonly (Action | undefined)[];
  readonly #frame: GenerationFrame;

  /** @throws InterventionError for an edit that no step would make. */
  constructor(interventions: readonly Steps[], frame: GenerationFrame) {
    this.#interventions = interventions;
    this.#firsts = interventions.map((steps) => steps.find((action) => action !== undefined));
    this.#frame = frame;
    for (const steps of interventions) {
      for (const action of new Set(steps)) {
        if (action?.axes.steps) refuseTimeSteps(action);
        else if (action) this.#refuseNever(action, steps);
      }
    }
  }

  /** The edits of what an encoder reads, in order. */
  encoding(): Action[] {
    const first = this.#interventions.flatMap((steps) => steps[0] ?? []);
    return first.filter(({ name }) => this.#frame.encoded.has(name));
  }

  /** The edits of one pass, in order. */
  at(pass: TraceStep): Action[] {
    return this.#interventions.flatMap((steps, i) => this.#made(steps, this.#firsts[i], pass));
  }

  /** What the edits of all steps are given in place of sources. */
  get given(): Tensor[] {
    const actions = new Set(this.#interventions.flat());
    return [...actions].flatMap((action) =>
      action?.source.kind === "given" ? [action.source.value] : [],
    );
  }

  /** Steps after the first in which each edit is made at least once with each shape of its sources. */
  samples(): readonly number[] {
    const samples = new Set<number>();
    for (const [i, steps] of this.#interventions.entries()) {
      const found = new Set<string>();
      for (const [action, first] of firstSteps(steps)) {
        const shape = action.source.kind === "given" ? action.source.value.shape.join() : "";
        const index = found.has(shape) ? undefined : this.#firstMade(i, action, first);
        if (index === undefined) continue;
        samples.add(index);
        found.add(shape);
      }
    }
    return [...samples];
  }

  /** The first step from one on that makes an edit. */
  #firstMade(i: number, { edits, name }: Action, first: number): number | undefined {
    const { promptLength, useCache } = this.#frame;
    const steps = this.#interventions[i] ?? [];
    const levels = (["position", "key"] as const).map(
      (kind) => edits?.levels[levelOf(edits, kind)],
    );
    const places = levels.flatMap((rows) => rows?.flat() ?? []);
    const last = Math.max(first, ...places.map((place) => this.#stepOf(this.#absolute(place))));
    for (let index = first; index <= Math.min(last, steps.length - 1); index++) {
      const pastLength = useCache ? promptLength + index - 1 : 0;
      const pass = { index, isPrompt: !useCache, pastLength, promptLength };
      const made = this.#made(steps, this.#firsts[i], pass);
      if (made.some((action) => action.name === name)) return index;
    }
    return undefined;
  }

  /** What one intervention does in a pass. */
  #made(steps: Steps, known: Action | undefined, pass: TraceStep): Action[] {
    if (known === undefined || this.#frame.encoded.has(known.name)) return [];
    // A pass without a cache reads it again.
    if (isReadOnce(known)) return pass.pastLength === 0 ? [steps[0] ?? []].flat() : [];
    const read = new Set(steps.slice(this.#stepOf(pass.pastLength), pass.index + 1));
    return [...read].flatMap((action) => {
      if (action === undefined) return [];
      const edit = this.#editAt(action, steps, pass, read.size === 1);
      return (edit && this.#withReadKeys(edit, pass)) ?? [];
    });
  }

  /** The step that reads a position first. */
  #stepOf(position: number): number {
    return Math.max(0, position - this.#frame.promptLength + 1);
  }

  #editAt(action: Action, steps: Steps, pass: TraceStep, whole: boolean): Action | undefined {
    const { edits } = action;
    const level = levelOf(edits, "position");
    const rows = edits?.levels[level];
    if (edits === undefined || rows === undefined) {
      return whole ? action : this.#partOf(action, steps, pass);
    }
    const { columns, positions } = this.#placedAt(action, steps, rows, pass);
    if (columns.every((row) => row.length === 0)) return undefined;
    const local = positions.map((row) => row.map((position) => position - pass.pastLength));
    const levels = edits.levels.map((other, i) => (i === level ? local : other));
    const moved = { ...action, edits: new Selection(edits.axes, levels) };
    return takeColumns(moved, 1 + level, columns, unitsOf(rows));
  }

  /** The action at those of its keys that the pass has: there is one for each token so far. */
  #withReadKeys(action: Action, { promptLength, index }: TraceStep): Action | undefined {
    const { edits } = action;
    const level = levelOf(edits, "key");
    const rows = edits?.levels[level];
    if (edits === undefined || rows === undefined) return action;
    const absolute = rows.map((row) => row.map((key) => this.#absolute(key)));
    const columns = absolute.map((row) =>
      [...row.keys()].filter((column) => (row[column] ?? 0) < promptLength + index),
    );
    if (columns.every((row) => row.length === 0)) return undefined;
    const read = columns.map((own, row) => own.map((column) => absolute[row]?.[column] ?? 0));
    const levels = edits.levels.map((other, i) => (i === level ? read : other));
    const moved = { ...action, edits: new Selection(edits.axes, levels) };
    return takeColumns(moved, 1 + level, columns, unitsOf(rows));
  }

  /** The units whose positions the pass reads. */
  #placedAt(action: Action, steps: Steps, rows: Rows, pass: TraceStep): Placed {
    const end = pass.promptLength + pass.index;
    if (this.#meansEveryNewToken(rows)) {
      const start = Math.max(pass.pastLength, pass.promptLength);
      const positions = Array.from({ length: end - start }, (_, i) => start + i);
      return {
        columns: rows.map(() => positions.map(() => 0)),
        positions: rows.map(() => positions),
      };
    }
    const absolute = rows.map((row) => row.map((position) => this.#absolute(position)));
    const again = this.#frame.byDefault && !this.#frame.useCache && pass.index > 0;
    const columns = absolute.map((row) =>
      [...row.keys()].filter((column) => {
        const at = row[column] ?? 0;
        return at >= pass.pastLength && at < end && (again || steps[this.#stepOf(at)] === action);
      }),
    );
    const positions = columns.map((own, row) => own.map((column) => absolute[row]?.[column] ?? 0));
    return { columns, positions };
  }

  /** A whole tensor, or whole heads, but only at the positions of the action's own steps. */
  #partOf(action: Action, steps: Steps, { index, pastLength, promptLength }: TraceStep): Action {
    const all = Array.from({ length: promptLength + index - pastLength }, (_, i) => pastLength + i);
    const positions = all.filter((position) => steps[this.#stepOf(position)] === action);
    const ofAll = (places: readonly number[]): Rows => range(this.#frame.rows).map(() => places);
    const heads = (action.edits?.axes.whole ?? []).flatMap(({ kind, size = 0 }) =>
      kind === "head" ? [ofAll(range(size))] : [],
    );
    const levels = [...(action.edits?.levels ?? []), ...heads, ofAll(positions)];
    return { ...action, edits: new Selection(withPositions(action), levels) };
  }

  #absolute(position: number): number {
    const { promptLength } = this.#frame;
    const at = position < 0 ? position + promptLength : position;
    if (at >= 0) return at;
    return fail(OP, `position ${position} is before the prompt of ${promptLength} tokens`);
  }

  #meansEveryNewToken(rows: Rows): boolean {
    return this.#frame.byDefault && rows.every((row) => row.length === 1 && row[0] === 0);
  }

  #refuseNever(action: Action, steps: Steps): void {
    if (isReadOnce(action)) {
      if (steps[0] !== undefined) return;
      const { site } = action;
      fail(
        OP,
        `${action.name} never fires: what passes ${site.path}.${site.side} is read once, in step 0, which ` +
          `is not among its steps; pass interveneOnPrompt: true, or steps: "prompt" or "all"`,
      );
    }
    const { promptLength, useCache, byDefault, steps: count } = this.#frame;
    const { name, edits } = action;
    for (const place of edits?.levels[levelOf(edits, "key")]?.flat() ?? []) {
      if (this.#absolute(place) < promptLength + count - 1) continue;
      fail(OP, `${name} never fires: ${count} new tokens never read a key at position ${place}`);
    }
    const rows = edits?.levels[levelOf(edits, "position")];
    if (rows === undefined || this.#meansEveryNewToken(rows)) return;
    for (const position of rows.flat()) {
      const at = this.#absolute(position);
      const step = this.#stepOf(at);
      if (step >= count) {
        fail(OP, `${name} never fires: ${count} new tokens never read position ${position}`);
      }
      if (steps[step] !== undefined || (byDefault && !useCache && count > 1)) continue;
      fail(
        OP,
        byDefault
          ? `${name} never fires: position ${position} is in the prompt of ${promptLength} tokens, ` +
              `which is read once and not edited; pass interveneOnPrompt: true or steps: "all"`
          : `${name} never fires: position ${position} is read in step ${step}, which is not among ` +
              `its steps`,
      );
    }
  }
}

/** Each different action after the first step, with the step that it comes first in. */
function firstSteps(steps: Steps): ReadonlyMap<Action, number> {
  const first = new Map<Action, number>();
  for (const [index, action] of steps.entries()) {
    if (index > 0 && action !== undefined && !first.has(action)) first.set(action, index);
  }
  return first;
}

/** Each pass of a generation counts its own time steps, so that a step would mean another token. */
function refuseTimeSteps({ name }: Action): never {
  return fail(
    OP,
    `${name}: unit "t" counts the time steps of one pass, but a text is written in several; use forward`,
  );
}

/** Whether something counts the text that is being written. */
function isWritten({ counts }: { readonly counts: Counted }): boolean {
  return counts === "text" || counts === "target";
}

/** Whether a place has nothing to do with the text that is being written: a source, or an image. */
function isReadOnce({ site }: Action): boolean {
  return !isWritten(site);
}

/** Which of the levels counts what is wanted of the text; -1 for none. */
function levelOf(edits: Selection | undefined, wanted: AxisKind): number {
  const { selected = [] } = edits?.axes ?? {};
  return selected.findIndex((axis) => axis.kind === wanted && isWritten(axis));
}

function unitsOf(rows: Rows): number {
  return Math.max(...rows.map((row) => row.length));
}

/** The axes of an action that takes all positions, with positions as the last selected axis. */
function withPositions({ name, edits, site }: Action): UnitAxes {
  const axes = edits?.axes;
  if (axes === undefined && !site.layout.headsFirst) {
    return axesOf("pos", { ...site, layout: PLAIN });
  }
  if (axes?.whole.at(-1)?.kind === "position") {
    return { ...axes, selected: [...axes.selected, ...axes.whole], whole: [] };
  }
  const [heads, ...others] = axes?.selected ?? [];
  if (axes !== undefined && heads?.kind === "head" && others.length === 0 && heads.dim === 1) {
    const { counts } = site;
    const queries: Axis = { dim: 2, offset: 0, size: undefined, kind: "position", counts };
    return { ...axes, selected: [heads, queries] };
  }
  return fail(
    OP,
    `${name}: without a cache, all positions are read in every step, and this unit cannot be edited at ` +
      `some of them only; use a cache, or name positions`,
  );
}

/** The action with those of its source's units that belong to the units edited now. */
function takeColumns(action: Action, dim: number, columns: Rows, units: number): Action {
  const { source } = action;
  // A vector holds for all units.
  if (source.kind !== "given" || source.value.ndim <= dim + 1) return action;
  const { value } = source;
  const [first = []] = columns;
  const isSame = (row: readonly number[]): boolean =>
    row.length === first.length && row.every((column, i) => column === first[i]);
  if (columns.every(isSame)) {
    const all = first.length === units && first.every((column, i) => column === i);
    if (all) return action;
    return { ...action, source: { kind: "given", value: value.indexSelect(dim, first) } };
  }
  return { ...action, source: { kind: "given", value: columnsByRow(value, dim, columns) } };
}

/** Other columns in each row; where a row has fewer than others, any stands in for the rest. */
function columnsByRow(value: Tensor, dim: number, columns: Rows): Tensor {
  const width = unitsOf(columns);
  const rows = columns.map((own, row) => {
    const filled = Array.from({ length: width }, (_, i) => own[i] ?? own.at(-1) ?? 0);
    const at = value.size(0) === 1 ? 0 : row;
    return value.slice(0, at, at + 1).indexSelect(dim, filled);
  });
  return cat(rows, 0);
}
