import { isCount } from "../../base/is-count.ts";
import type { RawDType } from "../raw-tensor.ts";
import type { Budgets } from "./budget.ts";
import type { PickleHost, PickleName } from "./unpickle.ts";
import { TorchFileError } from "./torch-file-error.ts";
import { checkView, type TensorView, TorchStorage } from "./tensor-view.ts";

/** Storage classes and their element types; `undefined` for those that tensors do not have. */
const STORAGES: ReadonlyMap<unknown, RawDType | undefined> = new Map<unknown, RawDType | undefined>(
  [
    ["DoubleStorage", "float64"],
    ["FloatStorage", "float32"],
    ["HalfStorage", "float16"],
    ["BFloat16Storage", "bfloat16"],
    ["LongStorage", "int64"],
    ["IntStorage", "int32"],
    ["ShortStorage", "int16"],
    ["CharStorage", "int8"],
    ["ByteStorage", "uint8"],
    ["BoolStorage", "bool"],
    ["ComplexFloatStorage", undefined],
    ["ComplexDoubleStorage", undefined],
  ],
);

/** Name of the storage class of an element type. */
export function storageName(dtype: RawDType): string {
  const [name] = [...STORAGES].find(([, known]) => known === dtype) ?? [];
  return String(name);
}

const DTYPES =
  "float64 float32 float16 bfloat16 complex64 complex128 int64 int32 int16 int8 uint8 bool".split(
    " ",
  );

/** A storage class, as a pickle names it. */
class StorageKind {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Makes a tensor of what a file says about one. */
export type MakeTensor = (view: TensorView) => unknown;

/** A size or a stride has as many numbers as a tensor has dimensions, of which 64 are read. */
const MOST_COUNTS = 1000;

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MOST_COUNTS && value.every(isCount);
}

function malformed(file: string, what: string): never {
  throw new TorchFileError(`${file}: ${what} is not as PyTorch writes it: the file is damaged`);
}

function rebuildTensor(file: string, make: MakeTensor, { values, elements }: Budgets): PickleName {
  return ([storage, offset, shape, stride]) => {
    const isView = storage instanceof TorchStorage && isCount(offset);
    if (!isView || !isCounts(shape) || !isCounts(stride)) return malformed(file, "a tensor");
    if (shape.length !== stride.length) return malformed(file, "a tensor's stride");
    values.spend(shape.length);
    const view = { storage, offset, shape: [...shape], stride: [...stride] };
    checkView(view, elements, file);
    return make(view);
  };
}

function orderedDict(file: string, { values }: Budgets): PickleName {
  return ([pairs = []]) => {
    if (Array.isArray(pairs)) values.spend(10 * pairs.length + 10);
    const isPairs =
      Array.isArray(pairs) && pairs.every((pair) => Array.isArray(pair) && pair.length === 2);
    if (!isPairs) return malformed(file, "an OrderedDict");
    const known = (pairs as [unknown, unknown][]).every(([key]) => typeof key === "string");
    return known ? new Map(pairs as [unknown, unknown][]) : malformed(file, "an OrderedDict's key");
  };
}

/** All names that files may use, with what they mean here. */
function knownNames(
  file: string,
  make: MakeTensor,
  budgets: Budgets,
): ReadonlyMap<string, unknown> {
  const tensor = rebuildTensor(file, make, budgets);
  const parameter: PickleName = ([data]) => data ?? malformed(file, "a parameter");
  const size: PickleName = ([dims]) => {
    if (!isCounts(dims)) return malformed(file, "a torch.Size");
    budgets.values.spend(dims.length);
    return dims;
  };
  const device: PickleName = ([type, index]) => {
    const isDevice = typeof type === "string" && type.length < 100;
    if (!isDevice || !(index === undefined || isCount(index))) return malformed(file, "a device");
    return index === undefined ? type : `${type}:${index}`;
  };
  return new Map<string, unknown>([
    ["collections OrderedDict", orderedDict(file, budgets)],
    ["torch._utils _rebuild_tensor", tensor],
    ["torch._utils _rebuild_tensor_v2", tensor],
    ["torch._utils _rebuild_parameter", parameter],
    ["torch._utils _rebuild_parameter_with_state", parameter],
    ["torch Size", size],
    ["torch device", device],
    ...DTYPES.map((name): [string, unknown] => [`torch ${name}`, `torch.${name}`]),
    ...[...STORAGES.keys()].map((name): [string, unknown] => [
      `torch ${String(name)}`,
      new StorageKind(String(name)),
    ]),
  ]);
}

/**
 * Storages by key, as the identifiers of a file tell; the same key is the same storage.
 * @param id ("storage", class, key, device, elements, and in old files a part of another storage).
 */
function storageOf(storages: Map<string, TorchStorage>, id: unknown, file: string): TorchStorage {
  const [kind, type, key, , length, part = null] = Array.isArray(id) ? (id as unknown[]) : [];
  const isStorage = kind === "storage" && type instanceof StorageKind && typeof key === "string";
  if (!isStorage || !isCount(length)) return malformed(file, "a storage");
  const dtype = STORAGES.get(type.name);
  if (dtype === undefined) {
    throw new TorchFileError(
      `${file}: a tensor is kept as ${type.name}, whose complex numbers tensors do not hold here; ` +
        "save its real and imaginary parts (torch.view_as_real)",
    );
  }
  const root = storages.get(key) ?? new TorchStorage(key, dtype, length);
  if (root.dtype !== dtype || root.length !== length) return malformed(file, `storage ${key}`);
  storages.set(key, root);
  if (part === null) return root;
  const [, begin, count] = Array.isArray(part) ? (part as unknown[]) : [];
  if (!isCount(begin) || !isCount(count)) return malformed(file, `a part of storage ${key}`);
  return root.part(begin, count);
}

/**
 * Reads names as PyTorch's own strict loader does: tensors, parameters, sizes and plain values are
 * known, all else is refused.
 *
 * @param storages is filled with the storages that the tensors need.
 */
export function torchHost(
  file: string,
  storages: Map<string, TorchStorage>,
  { make, budgets }: { readonly make: MakeTensor; readonly budgets: Budgets },
): PickleHost {
  const names = knownNames(file, make, budgets);
  return {
    budget: budgets.values,
    find: (module, name) => {
      const known = names.get(`${module} ${name}`);
      if (known !== undefined) return known;
      throw new TorchFileError(
        `${file}: the file needs ${JSON.stringify(`${module}.${name}`.slice(0, 200))} of Python, ` +
          "which is not read: only tensors, parameters, dicts, lists, texts and numbers are, and " +
          "nothing in a file is ever run; in Python, save model.state_dict() rather than the model",
      );
    },
    outside: (id) => storageOf(storages, id, file),
  };
}

/** Lists and dicts within each other. */
const DEEPEST = 128;

function contents(value: unknown): unknown[] {
  if (value instanceof Map) return [...value.values()];
  return Array.isArray(value) ? value : [];
}

/** A list or dict that is being looked at. */
interface Open {
  readonly value: unknown;
  readonly items: readonly unknown[];
  next: number;
  /** How deeply others lie within it. */
  depth: number;
}

/**
 * Throws when something that only stands for a class or a storage is left among the values, and when
 * lists or dicts lie within each other too deeply, or one within itself.
 */
export function checkPlain(root: unknown, file: string): void {
  const depths = new Map<unknown, number>();
  const open: Open[] = [{ value: undefined, items: [root], next: 0, depth: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next < top.items.length) {
      const value = top.items[top.next++];
      const isInner = value instanceof TorchStorage || value instanceof StorageKind;
      if (isInner || typeof value === "function") malformed(file, "a value");
      if (!Array.isArray(value) && !(value instanceof Map)) continue;
      const known = depths.get(value);
      if (known === undefined) {
        // Infinite while it is looked at, so that one within itself is too deep.
        depths.set(value, Infinity);
        open.push({ value, items: contents(value), next: 0, depth: 0 });
      } else top.depth = Math.max(top.depth, known + 1);
    } else {
      open.pop();
      depths.set(top.value, top.depth);
      const outer = open.at(-1);
      if (outer !== undefined) outer.depth = Math.max(outer.depth, top.depth + 1);
    }
    if (top.depth > DEEPEST || open.length > DEEPEST) tooDeep(file);
  }
}

function tooDeep(file: string): never {
  throw new TorchFileError(
    `${file}: more than ${DEEPEST} lists and dicts lie within each other, or one lies within itself, ` +
      "which is not read",
  );
}
