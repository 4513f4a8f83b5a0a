import { internal } from "../../base/errors.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { sameShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { isElementwise } from "./narrowings.ts";
import { type Axis, isGiven, onRows } from "./row-axes.ts";
import { isChosen, placeIn, planRows, type RowPlan, type RowPlans } from "./row-plan.ts";
import { halvesOf, rowsOf, smallInts, valuesOf, withRows } from "./row-values.ts";

/** A tensor some rows of which stand for all. */
export interface SharedRows {
  /** The tensor with these rows; or the one asked for, where none are known to be equal. */
  readonly tensor: Tensor;
  /** For each row of the one asked for, its place in this one; undefined where it is that one. */
  readonly places: readonly number[] | undefined;
  /** The dimension of the rows. */
  readonly axis: number;
  /** How many rows the tensor has. */
  readonly count: number;
}

/** Some rows of an operand. */
interface Taken {
  readonly rows: readonly number[];
  readonly axis: number;
  readonly made: Tensor;
}

/** Puts together what plans say. */
class Builder {
  readonly #plans: RowPlans;
  readonly #made = new Map<Tensor, Tensor>();
  /** What was taken of which operand for which rows: several read the same. */
  readonly #taken = new Map<Tensor, Taken[]>();
  readonly #all: readonly number[];

  constructor(plans: RowPlans) {
    this.#plans = plans;
    this.#all = counted(0, plans.rows);
    for (const t of plans.order) {
      const plan = plans.plans.get(t);
      this.#made.set(t, plan === undefined ? this.#asItIs(t) : this.#byRows(t, plan));
    }
  }

  /** What stands for a target. */
  shared(t: Tensor): SharedRows {
    const plan = this.#plans.plans.get(t);
    const tensor = this.#get(t);
    if (plan === undefined) return { tensor, places: undefined, axis: 0, count: 0 };
    const { axis, standing } = plan;
    const places = Array.from(plan.classes.of, (at) => standing.places[at] ?? 0);
    const isAll = standing.rows.length === places.length && isCounted(places);
    return { tensor, places: isAll ? undefined : places, axis, count: standing.rows.length };
  }

  #get(t: Tensor): Tensor {
    return isGiven(t) ? t : (this.#made.get(t) ?? internal("an operand was not made"));
  }

  #asItIs(t: Tensor): Tensor {
    const { op, inputs, attributes, sizes } = t.origin ?? internal("a step without an origin");
    const operands = inputs.map((u) => this.#whole(u));
    if (operands.every((u, i) => u === inputs[i])) return t;
    return apply(op, operands, attributes, sizes);
  }

  /** All rows of an operand. */
  #whole(u: Tensor): Tensor {
    const plan = this.#plans.plans.get(u);
    return plan === undefined ? this.#get(u) : this.#at(u, plan.axis, this.#all, false);
  }

  #byRows(t: Tensor, plan: RowPlan): Tensor {
    const { rows } = plan.standing;
    const { op, inputs } = t.origin ?? internal("a step without an origin");
    if (isChosen(plan, rows)) return this.#chosen(t, plan);
    if (op === "gatherNd" && plan.axes[1] === "coordinates") return this.#read(t, plan);
    const broadcasts = isElementwise(op);
    const operands = inputs.map((u, i) => {
      const at = plan.axes[i] ?? "whole";
      return at === "coordinates"
        ? this.#coordinates(u, rows, (_, place) => place)
        : this.#at(u, at, rows, broadcasts);
    });
    const isSame = rows.length === this.#plans.rows && operands.every((u, i) => u === inputs[i]);
    return isSame ? t : onRows(t, operands, this.#change(plan));
  }

  #change({ axis, standing }: RowPlan): Parameters<typeof onRows>[2] {
    return { axis, from: this.#plans.rows, to: standing.rows.length };
  }

  /** The rows that one value has, and after them those that another has. */
  #chosen(t: Tensor, plan: RowPlan): Tensor {
    const { inputs } = t.origin ?? internal("a step without an origin");
    const parts = [1, 0].flatMap((choice) => {
      const rows = plan.standing.rows.filter((row) => plan.choices?.[row] === choice);
      if (rows.length === 0) return [];
      const [u, at] = [inputs[1 + choice], plan.axes[1 + choice] ?? "whole"];
      const part = this.#at(u ?? internal("no operand"), at, rows, false);
      const shape = withRows(t.shape, plan.axis, this.#plans.rows, rows.length);
      return [sameShape(part.shape, shape) ? part : apply("expand", [part], {}, [shape])];
    });
    const [only] = parts;
    return parts.length === 1 && only ? only : apply("concat", parts, { dim: plan.axis });
  }

  /** Elements of rows, wherever these are now. */
  #read(t: Tensor, plan: RowPlan): Tensor {
    const [view, points] = t.origin?.inputs ?? [];
    if (view === undefined || points === undefined) return internal("no operands");
    const own = this.#plans.plans.get(view);
    const from = own?.axis === 0 ? this.#get(view) : this.#whole(view);
    const at = own?.axis === 0 ? 0 : undefined;
    const index = this.#coordinates(points, plan.standing.rows, (row) => placeIn(own, at, row));
    return apply("gatherNd", [from, index], {});
  }

  /** Coordinates of some rows, which begin with where each row is now. */
  #coordinates(
    points: Tensor,
    rows: readonly number[],
    placeOf: (row: number, place: number) => number,
  ): Tensor {
    const values = rowsOf(valuesOf(points), points, 0, { rows }) as BigInt64Array;
    const shape = withRows(points.shape, 0, this.#plans.rows, rows.length);
    const [depth, each] = [shape.at(-1) ?? 1, values.length / rows.length];
    const halves = halvesOf(values);
    rows.forEach((row, place) => {
      const first = placeOf(row, place);
      for (let at = place * each; at < (place + 1) * each; at += depth) halves[2 * at] = first;
    });
    return Tensor.fromData(values, shape, points.dtype);
  }

  /**
   * Some rows of an operand.
   *
   * @param broadcasts - Whether one row may stand for as many as there are.
   */
  #at(u: Tensor, at: Axis, rows: readonly number[], broadcasts: boolean): Tensor {
    if (typeof at !== "number") return this.#whole(u);
    const plan = this.#plans.plans.get(u);
    const isPlanned = plan?.axis === at;
    if (isPlanned && plan.standing.rows === rows) return this.#get(u);
    const own = u.shape[at] === this.#plans.rows;
    if (broadcasts && own && isPlanned && plan.standing.rows.length === 1) return this.#get(u);
    const taken = this.#taken.get(u) ?? [];
    this.#taken.set(u, taken);
    const before = taken.find((other) => other.rows === rows && other.axis === at);
    if (before !== undefined) return before.made;
    const made = this.#take(u, at, rows);
    taken.push({ rows, axis: at, made });
    return made;
  }

  #take(u: Tensor, axis: number, rows: readonly number[]): Tensor {
    const plan = this.#plans.plans.get(u);
    const isPlanned = plan?.axis === axis;
    const whole = isPlanned ? this.#get(u) : this.#whole(u);
    const total = isPlanned ? plan.standing.rows.length : this.#plans.rows;
    const places = rows.map((row) => placeIn(plan, axis, row));
    if (places.length === total && isCounted(places)) return whole;
    return this.#taking(whole, axis, { rows: places, total });
  }

  #taking(
    whole: Tensor,
    axis: number,
    { rows, total }: { readonly rows: readonly number[]; readonly total: number },
  ): Tensor {
    if (whole.values !== undefined && !whole.lasting) {
      const values = rowsOf(whole.values, whole, axis, { rows, total });
      return Tensor.fromData(values, withRows(whole.shape, axis, total, rows.length), whole.dtype);
    }
    // Numbers of rows are data: others are no other program.
    const each = (whole.shape[axis] ?? total) / total;
    const numbers = each === 1 ? rows : rows.flatMap((row) => counted(row * each, each));
    const index = Tensor.fromData(smallInts(numbers), [numbers.length], "int64");
    return apply("indexSelect", [whole, index], { dim: axis });
  }
}

function counted(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

function isCounted(places: readonly number[]): boolean {
  return places.every((place, i) => place === i);
}

/**
 * An equivalent graph in which rows of a batch that are surely equal are one: what comes before the
 * first edit of a row is that of all rows that are not edited before either.
 *
 * That rows are equal is proved forwards from the data: rows of data are compared, an operation that
 * computes each row by itself (as `narrowings` say) has equal results for equal operands, and a `where`
 * with a known condition has the row that it takes. Backwards, each operation is then done for the rows
 * that somebody reads. What cannot be proved is computed as it is, so that the result is always that of
 * all rows, but for the last bits of sums, which may depend on how many rows there are. Which rows are
 * one is data of the program, and another choice of as many is no other program.
 *
 * @param targets - Lazy tensors, with the rows in their first dimension.
 * @param rows - How many rows the batch has.
 */
export function shareRows(targets: readonly Tensor[], rows: number): readonly SharedRows[] {
  const plans = planRows(targets, rows);
  if (plans === undefined) {
    return targets.map((tensor) => ({ tensor, places: undefined, axis: 0, count: rows }));
  }
  const builder = new Builder(plans);
  return targets.map((t) => builder.shared(t));
}
