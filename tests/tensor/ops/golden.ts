import { grad, openFiles, type Runtime, type Tensor } from "tsvene";
import { expect } from "vitest";
import { loadSafetensors } from "../../../src/formats/safetensors/load-safetensors.ts";

// In two steps: of one expression, Vite would make the address of the one asset that it finds there.
const HERE: string = import.meta.url;
/** A directory in Node, and in a page what the tests' server serves. */
const FILES = await openFiles(new URL("../../goldens/ops/", HERE));

/** One recorded call of torch. */
export interface Variant {
  readonly expr: string;
  readonly inputs: Readonly<Record<string, readonly [dtype: string, shape: readonly number[]]>>;
  readonly outputs: readonly string[];
  /** Inputs whose gradient was recorded. */
  readonly grads: readonly string[];
  readonly attrs?: Readonly<Record<string, unknown>>;
}

interface Index {
  readonly ops: Readonly<
    Record<string, { file: string; variants: Readonly<Record<string, Variant>> }>
  >;
}

/** The recorded calls, by operation and variant. */
export const goldens: Index["ops"] = ((await FILES.readJson("index.json")) as Index).ops;

/** A call of this library; inputs come in the order and under the names of the recorded call. */
export type Call = (inputs: Readonly<Record<string, Tensor>>, attrs: Attributes) => Result;
type Result = Tensor | readonly Tensor[] | Promise<Tensor | readonly Tensor[]>;
export type Attributes = Readonly<Record<string, unknown>>;

/** Allowed distance of a value, as a function of the expected one. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

const DEFAULT: Tolerance = { absolute: 1e-5, relative: 1e-5 };
const LOOSE: Tolerance = { absolute: 1e-5, relative: 1e-4 };
const LOOSE_OPS = new Set(["svd/values", "det/basic", "solve/basic", "matrix_exp/large"]);

export function toleranceOf(op: string, variant: string): Tolerance {
  return LOOSE_OPS.has(`${op}/${variant}`) ? LOOSE : DEFAULT;
}

/** All tensors of an operation's recording. */
export async function load(op: string): Promise<Map<string, Tensor>> {
  return loadSafetensors(await FILES.readBytes(`${op}.safetensors`));
}

function numbersOf(t: Tensor): number[] {
  return Array.from(t.values ?? [], Number);
}

/** Compares dtype, shape and values of tensors that hold their values. */
export function expectTensor(what: string, actual: Tensor, wanted: Tensor, t: Tolerance): void {
  expect([what, actual.dtype, actual.shape]).toEqual([what, wanted.dtype, wanted.shape]);
  const [got, want] = [numbersOf(actual), numbersOf(wanted)];
  expect(got.length).toBe(actual.numel);
  const wrong = want.flatMap((w, i) => {
    const g = got[i] ?? NaN;
    const near = Math.abs(g - w) <= t.absolute + t.relative * Math.abs(w);
    return near || Object.is(g, w) || g === w ? [] : [`[${i}] ${g} instead of ${w}`];
  });
  expect(wrong, what).toEqual([]);
}

/** Runs a recorded call forward and backward, and compares everything that was recorded. */
export async function check(
  op: string,
  variant: string,
  call: Call,
  runtime: Runtime,
): Promise<void> {
  const stored = await load(op);
  const golden = goldens[op]?.variants[variant];
  if (golden === undefined) throw new Error(`no recording of ${op}/${variant}`);
  const at = (name: string): Tensor => {
    const t = stored.get(`${variant}.${name}`);
    if (t === undefined) throw new Error(`${op}: no tensor ${variant}.${name}`);
    return t;
  };
  const inputs = Object.fromEntries(Object.keys(golden.inputs).map((k) => [k, at(`in.${k}`)]));
  const outputs: Tensor[] = [await call(inputs, golden.attrs ?? {})].flat();
  const suffixes = golden.outputs.map((name) => name.slice(`${variant}.out`.length));
  expect(outputs).toHaveLength(suffixes.length);
  const gradients = gradientsOf(outputs, inputs, golden.grads, (i) =>
    stored.get(`${variant}.w${suffixes[i] ?? ""}`),
  );
  await runtime.evaluate([...outputs, ...gradients]);
  const tolerance = toleranceOf(op, variant);
  outputs.forEach((t, i) =>
    expectTensor(`output ${i}`, t, at(`out${suffixes[i] ?? ""}`), tolerance),
  );
  golden.grads.forEach((k, i) =>
    expectTensor(`gradient of ${k}`, gradients[i] as Tensor, at(`grad.${k}`), tolerance),
  );
}

/** Gradients of the sum of all outputs, weighted. */
function gradientsOf(
  outputs: readonly Tensor[],
  inputs: Readonly<Record<string, Tensor>>,
  names: readonly string[],
  weight: (i: number) => Tensor | undefined,
): Tensor[] {
  if (names.length === 0) return [];
  const losses = outputs.flatMap((t, i) => {
    const w = weight(i);
    return w === undefined ? [] : [t.mul(w).sum()];
  });
  const loss = losses.reduce((a, b) => a.add(b));
  return grad(
    loss,
    names.map((name) => inputs[name] as Tensor),
  );
}
