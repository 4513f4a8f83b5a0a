import { upstream, pendingOperands } from "../../tensor/graph.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Axis, isGiven, operandAxes } from "./row-axes.ts";
import {
  alike,
  type Choices,
  choicesOf,
  chosenClasses,
  type Classes,
  coordinateClasses,
  dataClasses,
  distinct,
  inAll,
  MIXED,
} from "./row-classes.ts";

/** Rows that stand for all, in an order. */
export interface Standing {
  /** Their numbers. */
  readonly rows: readonly number[];
  /** The place of the row that stands for a class. */
  readonly places: Int32Array;
}

/** What is known of the rows of a tensor that is computed row by row. */
export interface RowPlan {
  /** The dimension with places for the rows. */
  readonly axis: number;
  /** Where the rows are in the operands. */
  readonly axes: readonly Axis[];
  /** Which rows are equal. */
  readonly classes: Classes;
  /** Of a `where` with a known condition: which of its two values each row is. */
  readonly choices: Choices | undefined;
  /** Rows that are computed. */
  readonly standing: Standing;
}

/** How tensors are computed with equal rows once. */
export interface RowPlans {
  /** How many rows there are. */
  readonly rows: number;
  /** All that the targets are computed from, operands first, of which something is read. */
  readonly order: readonly Tensor[];
  /** Plans of what is computed row by row. All else is computed as it is. */
  readonly plans: ReadonlyMap<Tensor, RowPlan>;
}

/** Where a row of an operand is among those that are computed of it, or in all of it. */
export function placeIn(plan: RowPlan | undefined, at: Axis | undefined, row: number): number {
  if (plan === undefined || plan.axis !== at) return row;
  return plan.standing.places[plan.classes.of[row] ?? 0] ?? 0;
}

/** A plan in the making. */
type Draft = { -readonly [K in keyof RowPlan]: RowPlan[K] };

const NOWHERE: Standing = { rows: [], places: new Int32Array(0) };

class Planner {
  readonly #rows: number;
  readonly #targets: ReadonlySet<Tensor>;
  readonly #order: readonly Tensor[];
  readonly #plans = new Map<Tensor, Draft>();
  readonly #distinct: Classes;
  readonly #alike: Classes;
  readonly #data = new Map<Tensor, Map<Axis, Classes>>();
  /** Classes that are read of what is computed row by row. */
  readonly #needed = new Map<Tensor, Uint8Array>();
  /** What is read whole. */
  readonly #whole = new Set<Tensor>();

  constructor(targets: readonly Tensor[], rows: number) {
    this.#rows = rows;
    this.#targets = new Set(targets);
    const operands = (t: Tensor): readonly Tensor[] => (isGiven(t) ? [] : pendingOperands(t));
    this.#order = [...upstream(targets, operands)].filter((t) => !isGiven(t));
    this.#distinct = distinct(rows);
    this.#alike = alike(rows);
  }

  plan(): RowPlans | undefined {
    this.#findAxes();
    for (const [t, plan] of this.#plans) plan.classes = this.#classesOf(t, plan);
    const isShared = ({ classes }: Draft): boolean => classes.first.length < this.#rows;
    if (![...this.#plans.values()].some(isShared)) return undefined;
    this.#findNeeds();
    for (const [t, plan] of this.#plans) plan.standing = this.#standing(t, plan);
    const isRead = (t: Tensor): boolean => this.#needed.has(t) || this.#whole.has(t);
    return { rows: this.#rows, order: this.#order.filter(isRead), plans: this.#plans };
  }

  /** Where rows are, from what is read: in the first place that a reader looks for them in. */
  #findAxes(): void {
    const wanted = new Map<Tensor, Set<Axis>>();
    const want = (t: Tensor, axis: Axis): void => {
      wanted.set(t, (wanted.get(t) ?? new Set<Axis>()).add(axis));
    };
    for (const t of this.#targets) want(t, 0);
    const found = [...this.#order].reverse().flatMap((t): [Tensor, Draft][] => {
      const { inputs } = t.origin ?? { inputs: [] };
      const at = this.#axisOf(t, wanted.get(t) ?? new Set<Axis>());
      inputs.forEach((u, i) => want(u, at?.axes[i] ?? "whole"));
      return at === undefined ? [] : [[t, { ...at, classes: this.#distinct, choices: undefined, standing: NOWHERE }]]; // prettier-ignore
    });
    for (const [t, plan] of found.reverse()) this.#plans.set(t, plan);
  }

  #axisOf(t: Tensor, wanted: ReadonlySet<Axis>): Pick<RowPlan, "axis" | "axes"> | undefined {
    // What is read whole may be computed row by row even so.
    for (const axis of [...wanted, 0]) {
      const size = typeof axis === "number" ? t.shape[axis] : undefined;
      if (typeof axis !== "number" || !size || size % this.#rows !== 0) continue;
      const axes = operandAxes(t, axis, this.#rows);
      if (axes !== undefined) return { axis, axes };
    }
    return undefined;
  }

  #classesOf(t: Tensor, plan: Draft): Classes {
    const { op, inputs } = t.origin ?? { op: "detach", inputs: [] };
    const operands = inputs.map((u, i) => this.#classesAt(u, plan.axes[i] ?? "whole"));
    const mixed = (): Classes => inAll(this.#rows, operands);
    if (op === "where") {
      plan.choices = choicesOf(inputs[0], plan.axes[0], this.#rows);
      const { choices } = plan;
      return choices === undefined ? mixed() : chosenClasses(choices, operands.slice(1), mixed);
    }
    const kept = op === "scatterNd" && this.#isRead(inputs[2], inputs);
    if (kept === false) return mixed();
    const view = new Int8Array(this.#rows).map((_, row) => (isAt(kept, row) ? 0 : MIXED));
    return chosenClasses(view, operands.slice(0, 1), mixed);
  }

  #classesAt(u: Tensor, at: Axis): Classes {
    if (at === "whole") return this.#alike;
    if (!isGiven(u)) {
      const plan = this.#plans.get(u);
      return plan?.axis === at ? plan.classes : this.#distinct;
    }
    const known = this.#data.get(u) ?? new Map<Axis, Classes>();
    this.#data.set(u, known);
    const classes = known.get(at) ?? this.#dataAt(u, at);
    known.set(at, classes);
    return classes;
  }

  #dataAt(u: Tensor, at: number | "coordinates"): Classes {
    return at === "coordinates" ? coordinateClasses(u, this.#rows) : dataClasses(u, at, this.#rows);
  }

  /**
   * In which rows units are what was read of a view at some coordinates: written there again, they leave
   * it as it was.
   */
  #isRead(units: Tensor | undefined, place: readonly Tensor[]): Uint8Array | boolean {
    if (units === undefined || isGiven(units)) return false;
    const { op, inputs } = units.origin ?? { op: "detach", inputs: [] };
    if (op === "gatherNd") return inputs[0] === place[0] && inputs[1] === place[1];
    const plan = this.#plans.get(units);
    if (op === "reshape" && plan?.axis === 0) {
      return plan.axes[0] === 0 && this.#isRead(inputs[0], place);
    }
    const { choices } = plan ?? {};
    if (choices === undefined) return false;
    const [a, b] = [this.#isRead(inputs[1], place), this.#isRead(inputs[2], place)];
    if (a === false && b === false) return false;
    return Uint8Array.from(choices, (choice, row) =>
      Number(choice !== MIXED && isAt(choice === 0 ? a : b, row)),
    );
  }

  #findNeeds(): void {
    for (const t of this.#targets) this.#needAll(t);
    for (const t of [...this.#order].reverse()) {
      const { inputs } = t.origin ?? { inputs: [] };
      const plan = this.#plans.get(t);
      const needed = this.#needed.get(t);
      if (plan === undefined) {
        if (this.#whole.has(t)) for (const u of inputs) this.#needAll(u);
        continue;
      }
      if (needed === undefined) continue;
      const rows = plan.classes.first.filter((_, at) => needed[at] === 1);
      const some = someRows(plan, rows);
      inputs.forEach((u, i) => this.#need(u, plan.axes[i] ?? "whole", some[i] ?? rows));
    }
  }

  #needAll(u: Tensor): void {
    const plan = this.#plans.get(u);
    if (plan === undefined) this.#whole.add(u);
    else this.#needed.set(u, new Uint8Array(plan.classes.first.length).fill(1));
  }

  #need(u: Tensor, at: Axis, rows: readonly number[]): void {
    if (isGiven(u) || rows.length === 0) return;
    const plan = this.#plans.get(u);
    if (plan?.axis !== at) return this.#needAll(u);
    const needed = this.#needed.get(u) ?? new Uint8Array(plan.classes.first.length);
    for (const row of rows) needed[plan.classes.of[row] ?? 0] = 1;
    this.#needed.set(u, needed);
  }

  /** Rows in the order of the operand with most of them, so that few have to be brought into another. */
  #standing(t: Tensor, plan: Draft): Standing {
    const needed = this.#needed.get(t);
    if (needed === undefined) return NOWHERE;
    const { inputs } = t.origin ?? { inputs: [] };
    const rows = plan.classes.first.filter((_, at) => needed[at] === 1);
    const operands = inputs.map((u) => this.#plans.get(u));
    if (isChosen(plan, rows)) {
      return sorted(plan, rows, (row) => this.#chosenPlace(plan, operands, row));
    }
    let lead: readonly [plan: RowPlan, at: Axis] | undefined;
    for (const [i, other] of operands.entries()) {
      const at = plan.axes[i];
      if (other === undefined || other.axis !== at) continue;
      if (lead && lead[0].standing.rows.length >= other.standing.rows.length) continue;
      lead = [other, at];
    }
    if (lead === undefined) return sorted(plan, rows, (row) => row);
    const [{ classes, standing }, at] = lead;
    const isSame = classes === plan.classes && standing.rows.length === rows.length;
    return isSame ? standing : sorted(plan, rows, (row) => placeIn(lead?.[0], at, row));
  }

  /** After the rows that are left come those that are put in their places. */
  #chosenPlace(
    { axes, choices }: RowPlan,
    operands: readonly (RowPlan | undefined)[],
    row: number,
  ): number {
    const choice = choices?.[row] === 0 ? 0 : 1;
    const place = placeIn(operands[1 + choice], axes[1 + choice], row);
    return choice === 1 ? place : this.#rows + place;
  }
}

function isAt(rows: Uint8Array | boolean, row: number): boolean {
  return typeof rows === "boolean" ? rows : rows[row] === 1;
}

/** Whether each row that is computed is one of two values, so that nothing has to be. */
export function isChosen({ choices }: RowPlan, rows: readonly number[]): boolean {
  return choices !== undefined && rows.every((row) => choices[row] !== MIXED);
}

/** The rows of each operand that some rows of a result are computed from, where it is not the same. */
function someRows(plan: RowPlan, rows: readonly number[]): readonly (readonly number[])[] {
  if (!isChosen(plan, rows)) return [];
  const of = (choice: number): number[] => rows.filter((row) => plan.choices?.[row] === choice);
  return [[], of(0), of(1)];
}

function sorted(
  { classes }: RowPlan,
  rows: readonly number[],
  placeOf: (row: number) => number,
): Standing {
  const keyed = rows.map((row) => [placeOf(row), row] as const);
  keyed.sort(([p, a], [q, b]) => p - q || a - b);
  const places = new Int32Array(classes.first.length);
  keyed.forEach(([, row], place) => {
    places[classes.of[row] ?? 0] = place;
  });
  return { rows: keyed.map(([, row]) => row), places };
}

/**
 * How lazy tensors are computed with rows that are surely equal computed once; undefined where no rows
 * are known to be.
 *
 * @param rows - How many rows the batch has.
 */
export function planRows(targets: readonly Tensor[], rows: number): RowPlans | undefined {
  return rows < 2 ? undefined : new Planner(targets, rows).plan();
}
