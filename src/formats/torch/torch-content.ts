import { Tensor } from "../../tensor/tensor.ts";
import type { TorchKey } from "./load-torch-file.ts";
import { TorchFileError } from "./torch-file-error.ts";

/**
 * What a PyTorch file can be written of: a tensor, or lists, `Map`s and plain objects of tensors and
 * plain values. A `Map` becomes an `OrderedDict`, as state dicts are, and a plain object a dict.
 */
export type TorchContent =
  | TorchKey
  | Tensor
  | readonly TorchContent[]
  | ReadonlyMap<TorchKey, TorchContent>
  | { readonly [key: string]: TorchContent };

/** Lists and dicts within each other, as many as are read. */
const DEEPEST = 128;
const LONGEST_INTEGER = 64;

function refuse(path: string, what: string): never {
  throw new TorchFileError(
    `${path === "" ? "the value" : path} is ${what}, which a PyTorch file does not hold here: it may hold ` +
      "tensors, numbers, booleans, texts and null, and lists, Maps and plain objects of them",
  );
}

export function isList(value: unknown): value is readonly TorchContent[] {
  return Array.isArray(value);
}

export function entriesOf(value: object): [TorchContent, TorchContent][] {
  const entries =
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value);
  return entries as [TorchContent, TorchContent][];
}

/** A key of a dict or an item, as it is named in messages. */
function step(path: string, key: unknown): string {
  return `${path}[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`;
}

function checkText(text: string, path: string): void {
  if (!/\p{Surrogate}/u.test(text)) return;
  refuse(path, "a text with half of a surrogate pair");
}

function kindOf(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" ? `a ${constructor.name}` : "an object";
}

/** Values that hold no others. */
function checkPlain(value: unknown, path: string): void {
  if (typeof value === "string") return checkText(value, path);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return;
  if (typeof value !== "bigint") {
    refuse(path, value === undefined ? "undefined" : `a ${typeof value}`);
  }
  if (BigInt.asIntN(8 * LONGEST_INTEGER, value) !== value) {
    refuse(path, `an integer of more than ${LONGEST_INTEGER} bytes`);
  }
}

function checkKey(key: unknown, path: string): void {
  if (typeof key === "object" && key !== null) refuse(path, `a dict with ${kindOf(key)} as a key`);
  checkPlain(key, `a key of ${path === "" ? "the value" : path}`);
}

/**
 * All tensors of a value, each with the path to it, in the order in which they are written.
 * @throws TorchFileError for what a PyTorch file does not hold.
 */
export function* tensorsIn(
  value: unknown,
  path = "",
  depth = 0,
): Generator<[path: string, tensor: Tensor]> {
  if (value instanceof Tensor) {
    yield [path === "" ? "the value" : path, value];
    return;
  }
  if (typeof value !== "object" || value === null) return checkPlain(value, path);
  if (depth >= DEEPEST) refuse(path.slice(0, 100), `more than ${DEEPEST} lists and dicts within each other`); // prettier-ignore
  if (isList(value)) {
    for (const [i, item] of value.entries()) yield* tensorsIn(item, step(path, i), depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const isDict = value instanceof Map || prototype === Object.prototype || prototype === null;
  if (!isDict) refuse(path, kindOf(value));
  for (const [key, item] of entriesOf(value)) {
    checkKey(key, path);
    yield* tensorsIn(item, step(path, key), depth + 1);
  }
}
