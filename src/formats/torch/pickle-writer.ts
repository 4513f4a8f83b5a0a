import { Tensor } from "../../tensor/tensor.ts";
import type { StoragePart } from "./shared-storages.ts";
import { entriesOf, isList, type TorchContent } from "./torch-content.ts";
import { storageName } from "./torch-names.ts";

/** Operations of protocol 2, which is PyTorch's. */
const CODE = {
  protocol: 0x80,
  stop: 0x2e,
  mark: 0x28,
  none: 0x4e,
  true: 0x88,
  false: 0x89,
  byte: 0x4b,
  int32: 0x4a,
  integer: 0x8a,
  float: 0x47,
  text: 0x58,
  emptyList: 0x5d,
  appends: 0x65,
  emptyTuple: 0x29,
  tuple: 0x74,
  emptyDict: 0x7d,
  setItems: 0x75,
  global: 0x63,
  reduce: 0x52,
  outside: 0x51,
} as const;

/** Bytes that are added at the end. */
class Bytes {
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  add(bytes: ArrayLike<number>): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** One pickle of tensors and plain values, whose tensors refer to storages outside of it. */
class PickleWriter {
  readonly #out = new Bytes();
  readonly #parts: ReadonlyMap<Tensor, StoragePart>;

  constructor(parts: ReadonlyMap<Tensor, StoragePart>) {
    this.#parts = parts;
  }

  pickle(value: TorchContent): Uint8Array {
    this.#out.add([CODE.protocol, 2]);
    this.#value(value);
    this.#code("stop");
    return this.#out.all;
  }

  #code(code: keyof typeof CODE): void {
    this.#out.add([CODE[code]]);
  }

  #value(value: TorchContent): void {
    if (value === null) this.#code("none");
    else if (typeof value === "boolean") this.#code(value ? "true" : "false");
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "bigint") this.#integer(value);
    else if (typeof value === "number") this.#number(value);
    else if (value instanceof Tensor) this.#tensor(value);
    else if (isList(value)) this.#list(value);
    else this.#dict(value);
  }

  #number(value: number): void {
    const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0);
    if (!isWhole) {
      this.#code("float");
      this.#fixed(8, (view) => view.setFloat64(0, value, false));
    } else if (value >= 0 && value < 256) this.#out.add([CODE.byte, value]);
    else if (value === (value | 0)) {
      this.#code("int32");
      this.#fixed(4, (view) => view.setInt32(0, value, true));
    } else this.#integer(BigInt(value));
  }

  /** Two's complement, as few bytes as hold it. */
  #integer(value: bigint): void {
    let length = 1;
    while (BigInt.asIntN(8 * length, value) !== value) length++;
    const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
    this.#out.add([CODE.integer, length, ...bytes]);
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#code("text");
    this.#fixed(4, (view) => view.setUint32(0, bytes.length, true));
    this.#out.add(bytes);
  }

  #fixed(length: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(length));
    set(view);
    this.#out.add(new Uint8Array(view.buffer));
  }

  #list(items: readonly TorchContent[]): void {
    this.#code("emptyList");
    if (items.length === 0) return;
    this.#code("mark");
    for (const item of items) this.#value(item);
    this.#code("appends");
  }

  /** A `Map` is an `OrderedDict`, as state dicts are; another object is a dict. */
  #dict(value: object): void {
    if (value instanceof Map) this.#orderedDict();
    else this.#code("emptyDict");
    const entries = entriesOf(value);
    if (entries.length === 0) return;
    this.#code("mark");
    for (const [key, item] of entries) {
      this.#value(key);
      this.#value(item);
    }
    this.#code("setItems");
  }

  #orderedDict(): void {
    this.#global("collections", "OrderedDict");
    this.#code("emptyTuple");
    this.#code("reduce");
  }

  #global(module: string, name: string): void {
    this.#code("global");
    this.#out.add(new TextEncoder().encode(`${module}\n${name}\n`));
  }

  #tuple(...items: readonly (() => void)[]): void {
    this.#code("mark");
    for (const item of items) item();
    this.#code("tuple");
  }

  #sizes(sizes: readonly number[]): void {
    this.#tuple(...sizes.map((size) => () => this.#number(size)));
  }

  #tensor(tensor: Tensor): void {
    const part = this.#parts.get(tensor);
    if (part === undefined) throw new Error("internal: a tensor to be written has no storage");
    const { storage, offset } = part;
    const { shape } = tensor;
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * Math.max(b, 1), 1));
    this.#global("torch._utils", "_rebuild_tensor_v2");
    this.#tuple(
      () => {
        this.#tuple(
          () => this.#text("storage"),
          () => this.#global("torch", storageName(tensor.dtype)),
          () => this.#text(storage.key),
          () => this.#text("cpu"),
          () => this.#number(storage.length),
        );
        this.#code("outside");
      },
      () => this.#number(offset),
      () => this.#sizes(shape),
      () => this.#sizes(strides),
      // No gradient, and no hooks.
      () => this.#code("false"),
      () => this.#orderedDict(),
    );
    this.#code("reduce");
  }
}

/**
 * The pickle of a value that `tensorsIn` has looked through.
 * @param parts where the numbers of each tensor are.
 */
export function pickled(value: TorchContent, parts: ReadonlyMap<Tensor, StoragePart>): Uint8Array {
  return new PickleWriter(parts).pickle(value);
}
