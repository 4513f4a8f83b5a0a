import { itemsize } from "../../tensor/dtype.ts";
import { numel } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { kernels } from "../program/kernels.ts";
import type { Program } from "../program/program.ts";
import { isStep } from "../program/step.ts";

/** The weights that a program is run with, to be built into it. */
export interface Weights {
  /** Ids of their values. */
  readonly ids: ReadonlySet<number>;
  /** Ids of steps whose sizes are built in too. */
  readonly sized: ReadonlySet<number> | "all";
  /** Their size together. */
  readonly bytes: number;
  /** Which weights and which sizes are built in; not of which program. */
  readonly key: string;
  /** One of them: when it is gone, so is every use of a program that holds it. */
  readonly witness: Tensor;
}

/** Below this many bytes of weights there is nothing to gain. */
const FEW_BYTES = 65_536;

const serials = new WeakMap<Tensor, number>();
let nextSerial = 0;

function serial(t: Tensor): number {
  const known = serials.get(t);
  if (known !== undefined) return known;
  serials.set(t, nextSerial);
  return nextSerial++;
}

/**
 * What modules hold among a program's inputs; 16-bit weights are kept at 16 bits, as inputs.
 *
 * @param options.open Ids of what may be another tensor in each run. @default none
 * @param options.sized Whether all sizes are built in with them. @default if there are convolutions,
 * which ONNX Runtime joins with what follows them if it knows every size
 */
export function weightsOf(
  program: Program,
  {
    sized = hasConvolution(program),
    open,
  }: { readonly sized?: boolean; readonly open?: ReadonlySet<number> } = {},
): Weights | undefined {
  const ids = new Set<number>();
  const tensors: Tensor[] = [];
  let bytes = 0;
  program.values.forEach((value, id) => {
    const { tensor } = value;
    if (isStep(value) || !tensor.lasting || tensor.dtype !== "float32") return;
    if (open?.has(id) === true) return;
    ids.add(id);
    tensors.push(tensor);
    bytes += numel(tensor.shape) * itemsize(tensor.dtype);
  });
  const [witness] = tensors;
  if (witness === undefined || bytes < FEW_BYTES) return undefined;
  const key = tensors.map(serial).join(",");
  if (sized) return { ids, sized: "all", bytes, witness, key: `${key};${allSizes(program)}` };
  const reshapes = reshapesOf(program, ids);
  const shapes = [...reshapes].map((id) => program.values[id]?.tensor.shape.join("x"));
  return { ids, sized: reshapes, bytes, witness, key: `${key};${shapes.join(",")}` };
}

function hasConvolution({ values }: Program): boolean {
  return values.some((value) => isStep(value) && kernels[value.origin.op].joins);
}

function allSizes({ values, sizes }: Program): string {
  const inputs = values.filter((value) => !isStep(value)).map(({ tensor }) => tensor.shape);
  return [...inputs, ...sizes].join(";");
}

/**
 * Reshapes of what follows from weights alone, such as a bias to be added to each channel: with their
 * sizes, ONNX Runtime computes the values once.
 */
function reshapesOf(program: Program, weights: ReadonlySet<number>): ReadonlySet<number> {
  const following = new Set(weights);
  const reshapes = new Set<number>();
  program.values.forEach((value, id) => {
    if (!isStep(value) || !value.inputs.some((input) => following.has(input))) return;
    const sized = kernels[value.origin.op].builtIn === "sized";
    if (value.sizes.length > 0 && !sized) return;
    if (!value.inputs.every((input) => following.has(input) || isConstant(program, input))) return;
    following.add(id);
    if (sized) reshapes.add(id);
  });
  return reshapes;
}

function isConstant({ values }: Program, id: number): boolean {
  const value = values[id];
  return value !== undefined && isStep(value) && kernels[value.origin.op].builtIn === "constant";
}
