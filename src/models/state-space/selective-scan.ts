import { zeros } from "../../tensor/creation.ts";
import { cat, stack } from "../../tensor/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { chunkLength } from "./chunks.ts";
import { padEnd } from "./pad-end.ts";

/** What a selective state space reads, and how it reads it. */
export interface ScanInputs {
  /** [batch, steps, width] */
  readonly x: Tensor;
  /** [batch, steps, width]: length of each step, 0 or more. */
  readonly dt: Tensor;
  /** [width, size]: rates, negative. */
  readonly rates: Tensor;
  /** [batch, steps, size]: how inputs go into the state. */
  readonly into: Tensor;
  /** [batch, steps, size]: how outputs come out of it. */
  readonly out: Tensor;
}

/** Outputs [batch, steps, width] and the state after the last step, [batch, size, width]. */
export interface ScanResult {
  readonly output: Tensor;
  readonly state: Tensor;
}

const MOST_STEPS = 16;

/**
 * state[t] = exp(dt[t] rates) state[t - 1] + dt[t] x[t] into[t], output[t] = state[t] out[t]
 * (Gu and Dao, "Mamba", 2023), for all chunks of the sequence at once, step by step within them;
 * what each chunk hands on to the next is then added up in log-many steps. A program has as many
 * copies of the step as a chunk has steps, whatever the length; only sums of dt are exponentiated,
 * so that nothing can overflow or cancel. States have their width last: there are more channels than
 * numbers in each one's state, and elementwise operations are fast along long rows.
 *
 * @param initial [batch, size, width]. @default zeros
 */
export function selectiveScan(inputs: ScanInputs, initial?: Tensor): ScanResult {
  const { x, dt } = inputs;
  const rates = inputs.rates.t();
  const [batch = 0, steps = 0, width = 0] = x.shape;
  const length = chunkLength(steps, MOST_STEPS);
  const chunks = Math.ceil(steps / length);
  // Steps of length 0 at the end leave the state as it is.
  const split = (t: Tensor): Tensor =>
    padEnd(t, 1, chunks * length).reshape([batch, chunks, length, t.size(2)]);
  const at = (t: Tensor, i: number): Tensor => t.select(2, i);
  const [driven, lengths, into, out] = [x.mul(dt), dt, inputs.into, inputs.out].map(split) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const states: Tensor[] = [];
  const decays: Tensor[] = [];
  let state = chunks === 1 ? initial?.unsqueeze(1) : undefined;
  for (let i = 0; i < length; i++) {
    const input = at(into, i).unsqueeze(-1).mul(at(driven, i).unsqueeze(-2));
    const faded = decay(at(lengths, i), rates);
    state = state === undefined ? input : state.mul(faded).add(input);
    states.push(state);
    decays.push(faded);
  }
  const last = states[length - 1] as Tensor;
  const carried = chunks === 1 ? last : carry(last, lengths.sum({ dim: 2 }), rates, initial);
  let before = carried.slice(1, 0, chunks);
  const outputs = states.map((local, i) => {
    if (chunks > 1) before = before.mul(decays[i] as Tensor);
    const whole = chunks === 1 ? local : local.add(before);
    return at(out, i).unsqueeze(-2).matmul(whole).squeeze(-2);
  });
  const output = stack(outputs, 2)
    .reshape([batch, chunks * length, width])
    .slice(1, 0, steps);
  return { output, state: carried.select(1, -1) };
}

/** exp(time rates): [..., width] and [size, width] -> [..., size, width] */
function decay(time: Tensor, rates: Tensor): Tensor {
  return time.unsqueeze(-2).mul(rates).exp();
}

/**
 * The state before each chunk and after the last one, [batch, chunks + 1, size, width], from what
 * each chunk made of a state of zeros and how long it took.
 */
function carry(made: Tensor, took: Tensor, rates: Tensor, initial?: Tensor): Tensor {
  const [batch = 0, chunks = 0, size = 0, width = 0] = made.shape;
  const first = initial?.unsqueeze(1) ?? zeros([batch, 1, size, width]);
  let state = cat([first, made], 1);
  let time = cat([zeros([batch, 1, width]), took], 1);
  for (let reach = 1; reach <= chunks; reach *= 2) {
    state = state.add(later(state, reach).mul(decay(time, rates)));
    time = time.add(later(time, reach));
  }
  return state;
}

/** The values `by` entries before, along dimension 1; zeros where there are none. */
function later(x: Tensor, by: number): Tensor {
  const [batch = 0, count = 0, ...rest] = x.shape;
  return cat([zeros([batch, by, ...rest]), x.slice(1, 0, count - by)], 1);
}
