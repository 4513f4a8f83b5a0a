import { evaluate } from "../../tensor/evaluate.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { fail } from "../../interventions/errors.ts";
import type { WeightDType } from "../../nn/parameter.ts";

/** Parameters and buffers of an intervention as they are read from a file. */
export interface ReadState {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of the parameters that gradients are wanted of. @default those of the class */
  readonly trained?: readonly string[];
  /** Whether parameters stay in the element types of the file. @default those of the class */
  readonly keepsDTypes?: boolean;
}

const HALVES: readonly string[] = ["float16", "bfloat16"] satisfies WeightDType[];

/** Numbers of a tensor of dimensions: one, or a list. */
function numbersOf(tensor: Tensor): number | readonly number[] {
  const numbers = Array.from(tensor.values ?? [], Number);
  return tensor.ndim === 0 ? (numbers[0] ?? 0) : numbers;
}

/** @throws InterventionError listing names and shapes that do not fit; nothing is changed. */
export function checkState(
  op: string,
  intervention: Intervention,
  tensors: ReadonlyMap<string, Tensor>,
): void {
  const own = new Map(Object.entries(intervention.stateDict()));
  const problems = [...new Set([...own.keys(), ...tensors.keys()])].flatMap((name) => {
    const [wanted, given] = [own.get(name), tensors.get(name)];
    if (wanted === undefined && name !== "interchange_dim") return [`${name} is unexpected`];
    if (given === undefined) return [`${name} is missing`];
    const fits = name === "interchange_dim" || sameShape(given.shape, wanted?.shape ?? []);
    return fits
      ? []
      : [`${name} has shape ${show(given.shape)}, wanted ${show(wanted?.shape ?? [])}`];
  });
  if (problems.length === 0) return;
  const { name } = intervention.constructor;
  fail(op, `what is stored does not fit the ${name} that the model needs: ${problems.join("; ")}`);
}

/**
 * Gives an intervention that nobody else holds yet its parameters and buffers.
 *
 * @param op - What messages begin with.
 * @throws InterventionError listing names and shapes that do not fit.
 */
export async function restoreState(
  op: string,
  intervention: Intervention,
  { tensors, trained, keepsDTypes = false }: ReadState,
): Promise<void> {
  checkState(op, intervention, tensors);
  const dims = tensors.get("interchange_dim");
  if (dims !== undefined) intervention.setInterchangeDim(numbersOf(dims));
  for (const [name, parameter] of intervention.namedParameters()) {
    const dtype = tensors.get(name)?.dtype ?? "";
    if (keepsDTypes && HALVES.includes(dtype)) parameter.keepIn(dtype as WeightDType);
    if (trained !== undefined) parameter.requiresGrad = trained.includes(name);
  }
  intervention.loadStateDict(Object.fromEntries(tensors));
  await evaluate(...Object.values(intervention.stateDict()));
}
