import { where } from "../../../tensor/functions/arithmetic.ts";
import { arange, zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { chunkLength } from "./chunks.ts";
import { padEnd } from "./pad-end.ts";

/** What a state space with one rate a head reads, and how. */
export interface DualScanInputs {
  /** [batch, steps, heads, width], multiplied by the lengths of the steps already. */
  readonly x: Tensor;
  /** [batch, steps, heads]: logarithm of each step's decay, 0 or less. */
  readonly logDecay: Tensor;
  /** [batch, steps, heads, size]: how inputs go into the state. */
  readonly into: Tensor;
  /** [batch, steps, heads, size]: how outputs come out of it. */
  readonly out: Tensor;
}

/** Outputs [batch, steps, heads, width] and the last state, [batch, heads, width, size]. */
export interface DualScanResult {
  readonly output: Tensor;
  readonly state: Tensor;
}

const MOST_STEPS = 64;

/**
 * state[t] = exp(logDecay[t]) state[t - 1] + x[t] into[t]ᵀ, output[t] = state[t] out[t], by products
 * of matrices: within chunks as attention is computed, and between chunks likewise (Dao and Gu,
 * "Transformers are SSMs", 2024).
 *
 * @param initial [batch, heads, width, size]. @default zeros
 */
export function dualScan(inputs: DualScanInputs, initial?: Tensor): DualScanResult {
  const [batch = 0, steps = 0, heads = 0, width = 0] = inputs.x.shape;
  const size = inputs.out.size(3);
  const length = chunkLength(steps, MOST_STEPS);
  const chunks = Math.ceil(steps / length);
  // [batch, chunks, heads, length, ...]; what is added decays nothing and drives nothing.
  const split = (t: Tensor): Tensor =>
    padEnd(t.unflatten(2, [heads, -1]), 1, chunks * length)
      .reshape([batch, chunks, length, heads, -1])
      .transpose(2, 3);
  const [x, logs, into, out] = [
    inputs.x.flatten(2),
    inputs.logDecay,
    inputs.into.flatten(2),
    inputs.out.flatten(2),
  ].map(split) as [Tensor, Tensor, Tensor, Tensor];
  const between = sumsBetween(logs.squeeze(-1));
  const within = out.matmul(into.transpose(-1, -2)).mul(decays(between)).matmul(x);
  const toEnd = between.select(3, -1).exp().unsqueeze(-1);
  const made = x.mul(toEnd).transpose(-1, -2).matmul(into);
  const fromStart = logs.cumsum(3);
  const states = carry(made, fromStart.select(3, -1).squeeze(-1), initial);
  const before = states.slice(1, 0, chunks).transpose(-1, -2);
  const output = out
    .matmul(before)
    .mul(fromStart.exp())
    .add(within)
    .transpose(2, 3)
    .reshape([batch, chunks * length, heads, width])
    .slice(1, 0, steps);
  return { output, state: states.select(1, -1).reshape([batch, heads, width, size]) };
}

/**
 * [..., n] -> [..., n, n]: at (t, s), the sum of the entries after s up to t. Sums rather than
 * differences of running sums, in which small steps would drown.
 */
function sumsBetween(logs: Tensor): Tensor {
  const at = arange(logs.size(-1));
  const after = at.unsqueeze(1).gt(at).to("float32");
  const upTo = at.unsqueeze(1).ge(at).to("float32");
  return upTo.matmul(logs.unsqueeze(-1).mul(after));
}

/** The decay from each entry to each later one; 0 to earlier ones. */
function decays(between: Tensor): Tensor {
  const at = arange(between.size(-1));
  return where(at.unsqueeze(1).ge(at), between.exp(), 0);
}

/** The state before each chunk and after the last, [batch, chunks + 1, heads, width, size]. */
function carry(made: Tensor, logs: Tensor, initial?: Tensor): Tensor {
  const [batch = 0, chunks = 0, heads = 0, width = 0, size = 0] = made.shape;
  const first = initial?.unsqueeze(1) ?? zeros([batch, 1, heads, width, size]);
  const all = cat([first, made], 1)
    .transpose(1, 2)
    .reshape([batch, heads, chunks + 1, -1]);
  const steps = cat([zeros([batch, 1, heads]), logs], 1).transpose(1, 2);
  return decays(sumsBetween(steps))
    .matmul(all)
    .reshape([batch, heads, chunks + 1, width, size])
    .transpose(1, 2);
}
