import { isSame } from "../../base/same-value.ts";
import { fail } from "../../tensor/errors.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Program } from "./program.ts";
import { evaluateFormula, fitFormula, type ProbedSize, type SizeFormula, type Sizes } from "./size-formula.ts"; // prettier-ignore
import { spelled } from "./spelled.ts";
import { isStep, type Step, type Value } from "./step.ts";

/** Programs of one computation on inputs of several sizes. */
export interface Probes {
  /** The sizes in which the inputs differ. */
  readonly probed: readonly ProbedSize[];
  /** Programs for each of the `corners` of these sizes. */
  readonly programs: readonly Program[];
  /** Programs for other sizes, by which formulas are checked. */
  readonly checks: readonly { readonly sizes: Sizes; readonly program: Program }[];
  /** Tensors that differ between the programs, the inputs. */
  readonly isInput: (t: Tensor) => boolean;
}

/** How numbers of a program follow from sizes of its inputs. */
export interface Formulas {
  /** The sizes of each step, by its id and their operand. */
  readonly sizes: ReadonlyMap<number, readonly (readonly SizeFormula[])[]>;
  /** Numbers from outside that are others for other sizes, such as the last position, by their ids. */
  readonly numbers: ReadonlyMap<number, readonly SizeFormula[]>;
}

/**
 * Finds how each size of a program follows from sizes of its inputs.
 *
 * @throws TensorError where programs differ in more than sizes, or a size follows in no way that is known.
 */
export function formulate(caller: string, probes: Probes): Formulas {
  const [first, ...others] = probes.programs;
  const values = first?.values ?? [];
  others.forEach((other, i) => {
    const changed = probes.probed.filter((_, k) => ((i + 1) >> k) % 2 === 1);
    requireAlike(caller, { values, other: other.values, probes, changed });
  });
  for (const { program } of probes.checks) {
    requireAlike(caller, { values, other: program.values, probes, changed: probes.probed });
  }
  const sizes = new Map<number, readonly (readonly SizeFormula[])[]>();
  const numbers = new Map<number, readonly SizeFormula[]>();
  values.forEach((value, id) => {
    if (isStep(value)) sizes.set(id, stepFormulas(caller, probes, value, id));
    else if (!probes.isInput(value.tensor) && differs(probes, id)) {
      numbers.set(id, numberFormulas(caller, probes, value.tensor, id));
    }
  });
  return { sizes, numbers };
}

/** Whether a value from outside is another one in some program. */
function differs({ programs, checks }: Probes, id: number): boolean {
  const [first, ...others] = [...programs, ...checks.map(({ program }) => program)].map(
    ({ values }) => values[id]?.tensor,
  );
  return others.some((t) => t !== first && !isSame(t?.values, first?.values));
}

function numberFormulas(
  caller: string,
  probes: Probes,
  t: Tensor,
  id: number,
): readonly SizeFormula[] {
  const numbersOf = ({ values }: Program): number[] =>
    Array.from(values[id]?.tensor.values ?? [], Number);
  return (
    formulasOf(probes, numbersOf) ??
    refuseSizes(
      caller,
      probes,
      `the numbers of shape [${t.shape.join(", ")}] that the model makes itself`,
    )
  );
}

/** The formulas of a list of numbers of which there is one for each program. */
export function formulasOf(
  { probed, programs, checks }: Probes,
  numbersOf: (program: Program) => readonly number[],
): readonly SizeFormula[] | undefined {
  const known = programs.map(numbersOf);
  const checked = checks.map(({ sizes, program }) => ({ sizes, numbers: numbersOf(program) }));
  const formulas = (known[0] ?? []).map((_, i) => {
    const formula = fitFormula(probed, known.map((numbers) => numbers[i] ?? Number.NaN)); // prettier-ignore
    const holds = checked.every(
      ({ sizes, numbers }) =>
        formula !== undefined && evaluateFormula(formula, sizes) === numbers[i],
    );
    return holds ? formula : undefined;
  });
  return formulas.every((formula) => formula !== undefined) ? formulas : undefined;
}

function stepFormulas(
  caller: string,
  probes: Probes,
  step: Step,
  id: number,
): readonly (readonly SizeFormula[])[] {
  return step.sizes.map((_, operand) => {
    const numbersOf = ({ values, sizes }: Program): readonly number[] => {
      const value = values[id];
      return value !== undefined && isStep(value) ? (sizes[value.sizes[operand] ?? -1] ?? []) : [];
    };
    return (
      formulasOf(probes, numbersOf) ?? refuseSizes(caller, probes, `the sizes of ${titleOf(step)}`)
    );
  });
}

const ADVICE = "fix it, with null in its place in dynamic";

function namesOf(sizes: readonly ProbedSize[]): string {
  return sizes.map(({ name }) => name).join(", ");
}

function refuseSizes(caller: string, { probed }: Probes, what: string): never {
  return fail(
    caller,
    `${what} follow from ${namesOf(probed)} in no way that a file can say; ${ADVICE}`,
  );
}

/** @param what What is found in one program and not in another. */
function refuseChange(caller: string, changed: readonly ProbedSize[], what: string): never {
  return fail(
    caller,
    `for another ${namesOf(changed)} the model computes something else (${what}), and not the same of other sizes, as a file would; ${ADVICE}`,
  );
}

function titleOf({ origin, tensor }: Step): string {
  return `${origin.op} of shape [${tensor.shape.join(", ")}]`;
}

/** What is compared: the values of two programs. */
interface Pair {
  readonly values: readonly Value[];
  readonly other: readonly Value[];
  readonly probes: Probes;
  /** The sizes in which they differ. */
  readonly changed: readonly ProbedSize[];
}

function requireAlike(caller: string, { values, other, probes, changed }: Pair): void {
  if (values.length !== other.length) {
    refuseChange(caller, changed, `${other.length} operations instead of ${values.length}`);
  }
  values.forEach((value, id) => {
    const twin = other[id];
    if (twin !== undefined && isAlike(value, twin, probes)) return;
    const shape = value.tensor.shape.join(", ");
    refuseChange(
      caller,
      changed,
      isStep(value) ? titleOf(value) : `numbers of shape [${shape}] that it makes itself`,
    );
  });
}

function isAlike(value: Value, other: Value, { isInput }: Probes): boolean {
  if (!isStep(value)) {
    if (isStep(other)) return false;
    if (isInput(value.tensor)) return isInput(other.tensor);
    return !isInput(other.tensor) && mayBeSame(value.tensor, other.tensor);
  }
  return isStep(other) && spelledStep(value) === spelledStep(other);
}

function spelledStep({ origin, inputs, sizes, attention, widenings }: Step): string {
  const halves = [...(widenings ?? [])];
  return `${origin.op}${spelled(origin.attributes)}${spelled([inputs, sizes.length, attention, halves])}`;
}

/** Most numbers that may be others for other sizes; more are data that sizes say nothing of. */
const FEW = 16;

function mayBeSame(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  return (a.shape.length < 2 && a.numel <= FEW) || isSame(a.values, b.values);
}
