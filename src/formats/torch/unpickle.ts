import type { Budget } from "./budget.ts";
import type { PickleCursor } from "./pickle-cursor.ts";
import { TorchFileError } from "./torch-file-error.ts";

/** What a pickle's names mean; nothing runs but what is written here. */
export type PickleName = (args: readonly unknown[]) => unknown;

/** What an empty list or dict takes, in values: it has one byte in the file and many in memory. */
const CONTAINER = 6;

/** What gives meaning to the names and identifiers of a pickle. */
export interface PickleHost {
  /** @throws TorchFileError for all names but the known ones. */
  readonly find: (module: string, name: string) => unknown;
  /** The object outside of the pickle that an identifier names. */
  readonly outside: (id: unknown) => unknown;
  /** Values that may be made. */
  readonly budget: Budget;
}

const PROTOCOLS = [2, 3, 4, 5];

/** One run over a pickle, which ends at its STOP. */
class Unpickler {
  readonly #cursor: PickleCursor;
  readonly #host: PickleHost;
  readonly #budget: Budget;
  readonly #stack: unknown[] = [];
  /** Where on the stack the marks are. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(cursor: PickleCursor, host: PickleHost) {
    this.#cursor = cursor;
    this.#host = host;
    this.#budget = host.budget;
  }

  run(): unknown {
    for (;;) {
      const code = this.#cursor.uint8();
      if (code === 0x2e) return this.pop();
      const operation = OPERATIONS[code];
      if (operation === undefined) this.fail(`operation 0x${code.toString(16)} is not known`);
      operation(this, this.#cursor);
    }
  }

  push(value: unknown): void {
    this.#budget.spend(1);
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) this.fail("it takes a value where there is none");
    if (this.#marks.at(-1) === this.#stack.length) this.fail("it takes a mark for a value");
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    this.#budget.spend(1);
    this.#marks.push(this.#stack.length);
  }

  popToMark(): unknown[] {
    const at = this.#marks.pop();
    this.#budget.spend(CONTAINER);
    return at === undefined ? this.fail("a mark is missing") : this.#stack.splice(at);
  }

  /** Discards the top, whether a value or a mark. */
  drop(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  container(value: unknown[] | Map<unknown, unknown>): void {
    this.#budget.spend(CONTAINER);
    this.push(value);
  }

  /** The last `count` values, first one first. */
  popMany(count: number): unknown[] {
    this.#budget.spend(CONTAINER);
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  store(slot: number = this.#memo.size): void {
    this.#memo.set(slot, this.top());
  }

  recall(slot: number): void {
    if (!this.#memo.has(slot)) this.fail(`it recalls value ${slot}, which it never stored`);
    this.push(this.#memo.get(slot));
  }

  find(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") this.fail("a name is not text");
    this.push(this.#host.find(module, name));
  }

  call(): void {
    const [callee, args] = this.popMany(2);
    if (typeof callee !== "function" || !Array.isArray(args)) this.fail("it calls what is no name");
    this.push((callee as PickleName)(args));
  }

  outside(): void {
    this.push(this.#host.outside(this.pop()));
  }

  append(values: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail("it appends to what is not a list");
    for (const value of values) list.push(value);
  }

  setItems(pairs: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map) || pairs.length % 2 > 0) this.fail("it fills what is not a dict");
    for (let i = 0; i < pairs.length; i += 2) map.set(this.#asKey(pairs[i]), pairs[i + 1]);
  }

  /** Attributes, such as the `_metadata` of a state dict, say nothing about tensors. */
  dropAttributes(): void {
    this.pop();
    if (!(this.top() instanceof Map)) this.fail("it sets attributes of what is not an OrderedDict");
  }

  fail(message: string): never {
    const { file, position } = this.#cursor;
    throw new TorchFileError(
      `${file}: the pickle cannot be read at byte ${position}: ${message}; ` +
        "the file is damaged, or not a PyTorch file of tensors and plain values",
    );
  }

  #asKey(key: unknown): unknown {
    const isPlain = key === null || !["object", "function", "symbol"].includes(typeof key);
    return isPlain ? key : this.fail("a key of a dict is neither text nor number");
  }
}

type Operation = (machine: Unpickler, cursor: PickleCursor) => void;

/** The operations of protocols 2 to 5 that tensors and plain values are written with. */
const KNOWN: readonly (readonly [code: number, operation: Operation])[] = [
  [0x80, (m, c) => checkProtocol(m, c.uint8())],
  [0x95, (_, c) => void c.take(8)], // FRAME
  [0x28, (m) => m.mark()],
  [0x30, (m) => m.drop()],
  [0x31, (m) => void m.popToMark()],
  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [0x4a, (m, c) => m.push(c.int32())],
  [0x4b, (m, c) => m.push(c.uint8())],
  [0x4d, (m, c) => m.push(c.uint16())],
  [0x8a, (m, c) => m.push(c.integer(c.uint8()))],
  [0x8b, (m, c) => m.push(c.integer(c.uint32()))],
  [0x47, (m, c) => m.push(c.float64())],
  [0x58, (m, c) => m.push(c.text(c.uint32()))], // BINUNICODE
  [0x8c, (m, c) => m.push(c.text(c.uint8()))], // SHORT_BINUNICODE
  [0x8d, (m, c) => m.push(c.text(c.length64()))], // BINUNICODE8
  [0x54, (m, c) => m.push(c.text(c.uint32()))], // BINSTRING, of Python 2
  [0x55, (m, c) => m.push(c.text(c.uint8()))], // SHORT_BINSTRING, of Python 2
  [0x5d, (m) => m.container([])],
  [0x61, (m) => m.append([m.pop()])],
  [0x65, (m) => m.append(m.popToMark())],
  [0x29, (m) => m.container([])],
  [0x74, (m) => m.push(m.popToMark())],
  [0x85, (m) => m.push(m.popMany(1))],
  [0x86, (m) => m.push(m.popMany(2))],
  [0x87, (m) => m.push(m.popMany(3))],
  [0x7d, (m) => m.container(new Map())],
  [0x73, (m) => m.setItems(m.popMany(2))],
  [0x75, (m) => m.setItems(m.popToMark())],
  [0x71, (m, c) => m.store(c.uint8())],
  [0x72, (m, c) => m.store(c.uint32())],
  [0x94, (m) => m.store()],
  [0x68, (m, c) => m.recall(c.uint8())],
  [0x6a, (m, c) => m.recall(c.uint32())],
  [0x63, (m, c) => m.find(c.line(), c.line())], // GLOBAL
  [0x93, (m) => findFromStack(m)], // STACK_GLOBAL
  [0x52, (m) => m.call()], // REDUCE
  [0x62, (m) => m.dropAttributes()], // BUILD
  [0x51, (m) => m.outside()], // BINPERSID
];

/** The operations by their codes. */
const OPERATIONS: readonly (Operation | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => KNOWN.find(([known]) => known === code)?.[1],
);

function checkProtocol(machine: Unpickler, protocol: number): void {
  if (!PROTOCOLS.includes(protocol)) machine.fail(`protocol ${protocol} is not known`);
}

function findFromStack(machine: Unpickler): void {
  const [module, name] = machine.popMany(2);
  machine.find(module, name);
}

/**
 * Reads one pickle and leaves the cursor after it. Nothing is executed: names mean what the host
 * says, and all else is lists, tuples (as arrays), dicts (as `Map`s), texts and numbers.
 *
 * @throws TorchFileError for unknown names and operations; PickleEndError where the bytes end.
 */
export function unpickle(cursor: PickleCursor, host: PickleHost): unknown {
  return new Unpickler(cursor, host).run();
}
