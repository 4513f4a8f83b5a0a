import { operand, type Rows } from "./call.ts";
import { build, get, of, type Sizes } from "./host-array.ts";

/** state[t] = decay[t] state[t - 1] + input[t]; in reverse, of the step that follows. */
const recurrence: Rows<"recurrence">["recurrence"] = (call) => {
  const [decay, driven, initial] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const [, steps = 0] = decay.shape;
  const stateAt = ([batch = 0, step = 0, ...rest]: Sizes): number => {
    if (step < 0 || step === steps) return Number(get(initial, [batch, ...rest]));
    const index = [batch, step, ...rest];
    const before = stateAt([batch, call.attributes.reverse ? step + 1 : step - 1, ...rest]);
    const next = before * Number(get(decay, index)) + Number(get(driven, index));
    return Number(of(next, call.dtype));
  };
  return build(decay.shape, call.dtype, stateAt);
};

/** state[t] = matrix state[t - 1] + state[t - 2] + input[t]; in reverse, of the steps that follow. */
const threeTerm: Rows<"threeTerm">["threeTerm"] = (call) => {
  const [matrix, input] = [operand(call, 0), operand(call, 1)];
  const [steps = 0, n = 0] = input.shape;
  const back = call.attributes.reverse ? 1 : -1;
  const stateAt = ([step = 0, row = 0, column = 0]: Sizes): number => {
    if (step < 0 || step >= steps) return 0;
    const turned = Array.from(
      { length: n },
      (_, i) => Number(get(matrix, [row, i])) * stateAt([step + back, i, column]),
    );
    const driven = Number(get(input, [step, row, column]));
    const older = stateAt([step + 2 * back, row, column]);
    return Number(
      of(
        turned.reduce((a, b) => a + b, older + driven),
        call.dtype,
      ),
    );
  };
  return build(input.shape, call.dtype, stateAt);
};

/** state[t] = exp(dt[t] rates) state[t - 1] + into[t] x[t]ᵀ, and out[t] state[t]. */
const selectiveScan: Rows<"selectiveScan">["selectiveScan"] = (call) => {
  const [x, dt, rates] = [operand(call, 0), operand(call, 1), operand(call, 2)];
  const [into, out, initial] = [operand(call, 3), operand(call, 4), operand(call, 5)];
  const [, steps = 0] = x.shape;
  const [size = 0] = rates.shape;
  const stateAt = (batch: number, step: number, row: number, column: number): number => {
    if (step < 0) return Number(get(initial, [batch, row, column]));
    const decay = Math.exp(
      Number(get(dt, [batch, step, column])) * Number(get(rates, [row, column])),
    );
    const added = Number(get(into, [batch, step, row])) * Number(get(x, [batch, step, column]));
    return Number(of(decay * stateAt(batch, step - 1, row, column) + added, call.dtype));
  };
  if (call.attributes.result === "state") {
    return build(initial.shape, call.dtype, ([batch = 0, row = 0, column = 0]) =>
      stateAt(batch, steps - 1, row, column),
    );
  }
  return build(x.shape, call.dtype, ([batch = 0, step = 0, column = 0]) => {
    const rows = Array.from({ length: size }, (_, row) => row);
    const terms = rows.map(
      (row) => Number(get(out, [batch, step, row])) * stateAt(batch, step, row, column),
    );
    return terms.reduce((a, b) => a + b, 0);
  });
};

export const scans: Rows<"recurrence" | "threeTerm" | "selectiveScan"> = {
  recurrence,
  threeTerm,
  selectiveScan,
};
