import { where } from "../../tensor/functions/arithmetic.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { graph, int, ints } from "../attributes.ts";
import { type Call, host, operator, type Operators } from "../operator.ts";
import { Host, knownNumbers, lifted, type Value } from "../values.ts";

/** Steps of a loop that is written out. */
const MOST_STEPS = 10_000;

/** Both branches, of which each element is taken from the one that holds. */
function chosen(
  call: Call,
  condition: Tensor,
  yes: readonly Value[],
  no: readonly Value[],
): Value[] {
  return yes.map((value, i) => {
    const [a, b] = [lifted(value), lifted(no[i] ?? value)];
    if (sameShape(a.shape, b.shape)) return where(condition.reshape([]), a, b);
    return call.fail(
      `has branches of shapes ${show(a.shape)} and ${show(b.shape)}, and which holds is known only when it is computed`,
    );
  });
}

/** What a loop has got so far. */
interface Course {
  carried: readonly Value[];
  readonly stacked: Tensor[][];
  /** Whether it goes on; undefined while that is sure. */
  active: Tensor | undefined;
}

function looped(call: Call, body: Parameters<Call["run"]>[0]): Value[] {
  const count = call.numbers(0, "how often it runs");
  const steps = count?.[0] ?? Infinity;
  const carried = call.inputs.slice(2).map((_, i) => call.value(i + 2));
  let go: Value = call.inputs[1] ?? host([1], [], "bool");
  if (steps > MOST_STEPS && knownNumbers(go)?.[0] !== 0 && !isCounted(go, steps)) {
    return call.fail(
      "runs until what it computes tells it to stop, and says no largest number of steps",
    );
  }
  const course: Course = { carried, stacked: [], active: undefined };
  for (let step = 0; step < steps; step++) {
    if (step > MOST_STEPS) return call.fail(`runs more than ${MOST_STEPS} times`);
    const known = knownNumbers(go);
    if (known?.[0] === 0) break;
    if (known === undefined) {
      const condition = lifted(go).reshape([]);
      course.active = course.active?.logicalAnd(condition) ?? condition;
    }
    const results = call.run(body, [host([step], []), go, ...course.carried]);
    go = results[0] ?? go;
    advance(call, course, results.slice(1));
  }
  return [...course.carried, ...course.stacked.map((parts) => stack(parts, 0))];
}

/** Whether it stops by what is known while tracing. */
const isCounted = (go: Value, steps: number): boolean => steps === Infinity && go instanceof Host;

function advance(call: Call, course: Course, results: readonly Value[]): void {
  const { carried, active } = course;
  course.carried = carried.map((before, i) => {
    const after = results[i] ?? before;
    return active === undefined ? after : (chosen(call, active, [after], [before])[0] ?? after);
  });
  results.slice(carried.length).forEach((value, i) => {
    if (active !== undefined) {
      call.fail("collects what it computes, as long as what it computes lets it");
    }
    (course.stacked[i] ??= []).push(lifted(value));
  });
}

/** What attributes say of a scan. */
interface Scan {
  readonly num_scan_inputs: number;
  readonly scan_input_axes: readonly number[] | undefined;
  readonly scan_input_directions: readonly number[] | undefined;
  readonly scan_output_axes: readonly number[] | undefined;
  readonly scan_output_directions: readonly number[] | undefined;
}

function scanned(call: Call, body: Parameters<Call["run"]>[0], said: Scan): Value[] {
  const inputs = call.inputs.map((_, i) => call.value(i));
  const states = inputs.length - said.num_scan_inputs;
  const scans = inputs.slice(states).map((value, i) => {
    const t = lifted(value);
    return {
      t,
      axis: call.dim(said.scan_input_axes?.[i] ?? 0, t.ndim),
      back: said.scan_input_directions?.[i] === 1,
    };
  });
  const steps = scans[0] === undefined ? 0 : scans[0].t.size(scans[0].axis);
  let carried: readonly Value[] = inputs.slice(0, states);
  const stacked: Tensor[][] = [];
  for (let step = 0; step < steps; step++) {
    const now = scans.map(({ t, axis, back }) => t.select(axis, back ? steps - 1 - step : step));
    const results = call.run(body, [...carried, ...now]);
    carried = results.slice(0, states);
    results.slice(states).forEach((value, i) => (stacked[i] ??= []).push(lifted(value)));
  }
  const outputs = stacked.map((parts, i) => {
    const ordered = said.scan_output_directions?.[i] === 1 ? [...parts].reverse() : parts;
    const axis = said.scan_output_axes?.[i] ?? 0;
    return stack(ordered, axis);
  });
  return [...carried, ...outputs];
}

/** Operators that run graphs of their own. */
export const control: Operators = {
  If: operator({ then_branch: graph(), else_branch: graph() }, (call, a) => {
    const { then_branch: yes, else_branch: no } = a;
    if (yes === undefined || no === undefined) return call.fail("lacks a branch");
    const known = knownNumbers(call.value(0));
    if (known !== undefined) return call.run(known[0] === 0 ? no : yes, []);
    return chosen(call, call.tensor(0), call.run(yes, []), call.run(no, []));
  }),
  Loop: operator({ body: graph() }, (call, { body }) =>
    body === undefined ? call.fail("lacks its body") : looped(call, body),
  ),
  Scan: operator(
    {
      body: graph(),
      num_scan_inputs: int(0),
      scan_input_axes: ints(),
      scan_input_directions: ints(),
      scan_output_axes: ints(),
      scan_output_directions: ints(),
    },
    (call, { body, ...said }) =>
      body === undefined ? call.fail("lacks its body") : scanned(call, body, said),
  ),
};
