import { stack } from "../../tensor/functions/shaping.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, floats, int, text, texts } from "../attributes.ts";
import { type Call, operator, type Operators } from "../operator.ts";
import type { Value } from "../values.ts";

/** What attributes say of a recurrent layer. */
interface Said {
  readonly activations: readonly string[] | undefined;
  readonly clip: number | undefined;
  readonly direction: string;
  readonly hidden_size: number | undefined;
  readonly layout: number;
}

const SAID = {
  activation_alpha: floats(),
  activation_beta: floats(),
  activations: texts(),
  clip: float(undefined),
  direction: text("forward"),
  hidden_size: int(undefined),
  layout: int(0),
};

/** The weights of one direction. */
interface Cell {
  readonly input: Tensor;
  readonly hidden: Tensor;
  /** Of the inputs, and then of the states. */
  readonly biases: readonly [Tensor, Tensor];
}

/** One step: what the inputs give, and the states before; the states after, the first of which is given out. */
type Step = (x: Tensor, states: readonly Tensor[], cell: Cell) => readonly Tensor[];

/** Activations that are not the usual ones, cut states, or weights that look at the cell, are ONNX Runtime's. */
function isUsual(call: Call, said: Said, usual: readonly string[], peepholes = -1): boolean {
  const names = said.activations?.map((name) => name.toLowerCase());
  const isSame = names?.every((name, i) => name === usual[i % usual.length]) ?? true;
  return isSame && said.clip === undefined && !call.has(4) && !call.has(peepholes);
}

/** Runs the steps of all directions. */
function unrolled(call: Call, said: Said, gates: number, states: number, step: Step): Value[] {
  const given = call.tensor(0);
  const x = said.layout === 0 ? given : given.transpose(0, 1);
  const directions = said.direction === "bidirectional" ? 2 : 1;
  const [steps, batch] = [x.size(0), x.size(1)];
  const size = call.tensor(2).size(2);
  const runs = Array.from({ length: directions }, (_, d) => {
    const cell = cellOf(call, d, gates * size);
    const first = Array.from({ length: states }, (__, s) =>
      startOf(call, 5 + s, d, said, [batch, size]),
    );
    const backwards = said.direction === "reverse" || d === 1;
    const order = Array.from({ length: steps }, (__, t) => (backwards ? steps - 1 - t : t));
    const inputs = x.matmul(cell.input.t()).add(cell.biases[0]);
    const outputs: Tensor[] = [];
    let now: readonly Tensor[] = first;
    for (const t of order) {
      now = step(inputs.select(0, t), now, cell);
      outputs[t] = now[0] as Tensor;
    }
    return { outputs: stack(outputs, 0), last: now };
  });
  const isTurned = said.layout !== 0;
  const all = stack(
    runs.map(({ outputs }) => outputs),
    isTurned ? 2 : 1,
  );
  const lasts = Array.from({ length: states }, (_, s) =>
    stack(
      runs.map(({ last }) => last[s] as Tensor),
      isTurned ? 1 : 0,
    ),
  );
  return [isTurned ? all.transpose(0, 1) : all, ...lasts];
}

function startOf(
  call: Call,
  i: number,
  direction: number,
  said: Said,
  shape: readonly number[],
): Tensor {
  const given = call.optional(i);
  if (given === undefined) return zeros(shape, { dtype: call.value(0).dtype });
  return given.select(said.layout === 0 ? 0 : 1, direction);
}

function cellOf(call: Call, direction: number, width: number): Cell {
  const bias = call.optional(3)?.select(0, direction);
  const none = (): Tensor => zeros([width], { dtype: call.value(0).dtype });
  return {
    input: call.tensor(1).select(0, direction),
    hidden: call.tensor(2).select(0, direction),
    biases: [bias?.slice(0, 0, width) ?? none(), bias?.slice(0, width) ?? none()],
  };
}

/** The looks of what a layer gives, for one that ONNX Runtime computes. */
function computed(call: Call, said: Said, states: number): Value[] {
  const x = call.value(0);
  const [a = 0, b = 0] = x.shape;
  const isTurned = said.layout !== 0;
  const [steps, batch] = isTurned ? [b, a] : [a, b];
  const size = call.value(2).shape[2] ?? 0;
  const directions = said.direction === "bidirectional" ? 2 : 1;
  const all = isTurned ? [batch, steps, directions, size] : [steps, directions, batch, size];
  const last = isTurned ? [batch, directions, size] : [directions, batch, size];
  const { dtype } = x;
  return call.native(
    { shape: all, dtype },
    ...Array.from({ length: states }, () => ({ shape: last, dtype })),
  );
}

const lstmStep: Step = (x, [h, c], cell) => {
  if (h === undefined || c === undefined) return [];
  const all = x.add(h.matmul(cell.hidden.t())).add(cell.biases[1]);
  const [input, output, forget, fresh] = all.chunk(4, -1) as [Tensor, Tensor, Tensor, Tensor];
  const next = forget.sigmoid().mul(c).add(input.sigmoid().mul(fresh.tanh()));
  return [output.sigmoid().mul(next.tanh()), next];
};

const gruStep =
  (linearBeforeReset: boolean): Step =>
  (x, [h], { hidden, biases: [, bias] }) => {
    if (h === undefined) return [];
    const size = h.size(-1);
    const [update, reset] = x
      .slice(-1, 0, 2 * size)
      .add(h.matmul(hidden.slice(0, 0, 2 * size).t()))
      .add(bias.slice(0, 0, 2 * size))
      .sigmoid()
      .chunk(2, -1) as [Tensor, Tensor];
    const [own, added] = [hidden.slice(0, 2 * size).t(), bias.slice(0, 2 * size)];
    const past = linearBeforeReset
      ? reset.mul(h.matmul(own).add(added))
      : reset.mul(h).matmul(own).add(added);
    const fresh = x
      .slice(-1, 2 * size)
      .add(past)
      .tanh();
    return [update.neg().add(1).mul(fresh).add(update.mul(h))];
  };

const rnnStep =
  (activation: string): Step =>
  (x, [h], cell) => {
    if (h === undefined) return [];
    const all = x.add(h.matmul(cell.hidden.t())).add(cell.biases[1]);
    return [activation === "relu" ? all.relu() : all.tanh()];
  };

/** Recurrent layers: step by step where there are gradients, by their own kernel elsewhere. */
export const recurrent: Operators = {
  LSTM: operator({ ...SAID, input_forget: int(0) }, (call, said) => {
    const usual = isUsual(call, said, ["sigmoid", "tanh", "tanh"], 7) && said.input_forget === 0;
    return usual ? unrolled(call, said, 4, 2, lstmStep) : computed(call, said, 2);
  }),
  GRU: operator({ ...SAID, linear_before_reset: int(0) }, (call, said) => {
    if (!isUsual(call, said, ["sigmoid", "tanh"])) return computed(call, said, 1);
    return unrolled(call, said, 3, 1, gruStep(said.linear_before_reset !== 0));
  }),
  RNN: operator(SAID, (call, said) => {
    const activation = said.activations?.[0]?.toLowerCase() ?? "tanh";
    const isKnown = activation === "tanh" || activation === "relu";
    if (!isKnown || !isUsual(call, said, [activation])) return computed(call, said, 1);
    return unrolled(call, said, 1, 1, rnnStep(activation));
  }),
};
