import { TokenizerError } from "../tokenizer-error.ts";
import type { CharSet } from "../char-set.ts";
import { ANY_CHARACTER } from "./character-classes.ts";
import type { Assertion, Node } from "./syntax.ts";

/** What an instruction does; see `run.ts`. */
export const Op = {
  Character: 0,
  Set: 1,
  Split: 2,
  Jump: 3,
  Greedy: 4,
  Lazy: 5,
  Possessive: 6,
  Ahead: 7,
  Behind: 8,
  Atomic: 9,
  Assert: 10,
  Mark: 11,
  Check: 12,
  End: 13,
} as const;

/** One step of a matcher. All have the same fields, which is what makes running them quick. */
export interface Instruction {
  readonly op: number;
  /** A character, a place to go on, a register, or the least number of repetitions. */
  x: number;
  /** Another place to go on, or the largest number of repetitions. */
  y: number;
  readonly set: CharSet;
  readonly at: Assertion;
  readonly negated: boolean;
  readonly inner: Program;
  /** Lengths and patterns of what may stand before. */
  readonly behind: readonly (readonly [length: number, program: Program])[];
}

export type Program = readonly Instruction[];

const MAX_INSTRUCTIONS = 20_000;
const DEFAULTS: Omit<Instruction, "op"> = {
  x: 0,
  y: 0,
  set: ANY_CHARACTER,
  at: "textStart",
  negated: false,
  inner: [],
  behind: [],
};

/** Turns a pattern into instructions. */
export function compileRegex(node: Node): Program {
  return new Compiler({ instructions: 0, registers: 0 }).compile(node);
}

interface Counts {
  instructions: number;
  registers: number;
}

class Compiler {
  readonly #program: Instruction[] = [];
  /** Of the whole pattern, parts of their own included. */
  readonly #counts: Counts;

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  compile(node: Node): Program {
    this.#node(node);
    this.#add({ op: Op.End });
    return this.#program;
  }

  #add(instruction: Partial<Instruction> & { readonly op: number }): Instruction {
    if (++this.#counts.instructions > MAX_INSTRUCTIONS) {
      throw new TokenizerError(
        `a regular expression takes more than ${MAX_INSTRUCTIONS} steps when its repetitions are ` +
          "written out",
      );
    }
    const added = { ...DEFAULTS, ...instruction };
    this.#program.push(added);
    return added;
  }

  get #next(): number {
    return this.#program.length;
  }

  #part(node: Node): Program {
    return new Compiler(this.#counts).compile(node);
  }

  #node(node: Node): void {
    if (node.kind === "sequence") node.items.forEach((item) => this.#node(item));
    else if (node.kind === "set") this.#set(node.set, node.code);
    else if (node.kind === "choice") this.#choice(node.options);
    else if (node.kind === "repeat") this.#repeat(node);
    else if (node.kind === "atomic") this.#add({ op: Op.Atomic, inner: this.#part(node.item) });
    else if (node.kind === "assert") this.#add({ op: Op.Assert, at: node.at });
    else if (node.ahead) {
      this.#add({ op: Op.Ahead, inner: this.#part(node.item), negated: node.negated });
    } else this.#behind(node.item, node.negated);
  }

  #set(set: CharSet, code: number | undefined): void {
    if (code === undefined) this.#add({ op: Op.Set, set });
    else this.#add({ op: Op.Character, x: code });
  }

  #choice(options: readonly Node[]): void {
    const ends: Instruction[] = [];
    options.forEach((option, i) => {
      const isLast = i === options.length - 1;
      const split = isLast ? undefined : this.#add({ op: Op.Split, x: this.#next + 1 });
      this.#node(option);
      if (!isLast) ends.push(this.#add({ op: Op.Jump }));
      if (split !== undefined) split.y = this.#next;
    });
    for (const end of ends) end.x = this.#next;
  }

  #repeat(node: Extract<Node, { readonly kind: "repeat" }>): void {
    const single = singleSet(node.item);
    if (single !== undefined) {
      const ops = { greedy: Op.Greedy, lazy: Op.Lazy, possessive: Op.Possessive };
      this.#add({ op: ops[node.mode], set: single, x: node.least, y: node.most });
    } else if (node.mode === "possessive") {
      this.#add({ op: Op.Atomic, inner: this.#part({ ...node, mode: "greedy" }) });
    } else this.#loop(node.item, node.least, node.most, node.mode === "lazy");
  }

  #loop(item: Node, least: number, most: number, lazy: boolean): void {
    for (let i = 0; i < least; i++) this.#node(item);
    if (most === Infinity) this.#endless(item, lazy);
    else this.#optional(item, most - least, lazy);
  }

  /** Repeats until a round takes nothing. */
  #endless(item: Node, lazy: boolean): void {
    const register = this.#counts.registers++;
    const begin = this.#next;
    const split = this.#add({ op: Op.Split });
    const body = this.#next;
    this.#add({ op: Op.Mark, x: register });
    this.#node(item);
    const check = this.#add({ op: Op.Check, x: register });
    this.#add({ op: Op.Jump, x: begin });
    check.y = this.#next;
    [split.x, split.y] = lazy ? [this.#next, body] : [body, this.#next];
  }

  #optional(item: Node, times: number, lazy: boolean): void {
    const splits: Instruction[] = [];
    for (let i = 0; i < times; i++) {
      splits.push(this.#add({ op: Op.Split, x: this.#next + 1 }));
      this.#node(item);
    }
    for (const split of splits) {
      [split.x, split.y] = lazy ? [this.#next, split.x] : [split.x, this.#next];
    }
  }

  #behind(item: Node, negated: boolean): void {
    const options = item.kind === "choice" ? item.options : [item];
    const behind = options.map((option): readonly [number, Program] => {
      const length = fixedLength(option);
      if (length === undefined) {
        throw new TokenizerError(
          "a regular expression looks back over parts of no fixed length, which is not known here",
        );
      }
      return [length, this.#part(option)];
    });
    this.#add({ op: Op.Behind, behind, negated });
  }
}

function singleSet(node: Node): CharSet | undefined {
  if (node.kind === "set") return node.set;
  const [only] = node.kind === "sequence" ? node.items : [];
  return only !== undefined && node.kind === "sequence" && node.items.length === 1
    ? singleSet(only)
    : undefined;
}

/** Characters that a pattern takes, whatever it matches; undefined when that depends. */
function fixedLength(node: Node): number | undefined {
  if (node.kind === "set") return 1;
  if (node.kind === "assert" || node.kind === "look") return 0;
  if (node.kind === "atomic") return fixedLength(node.item);
  if (node.kind === "repeat") {
    const length = fixedLength(node.item);
    return length === undefined || node.least !== node.most ? undefined : length * node.least;
  }
  const lengths = (node.kind === "sequence" ? node.items : node.options).map(fixedLength);
  if (node.kind === "choice") return new Set(lengths).size === 1 ? lengths[0] : undefined;
  return lengths.reduce<number | undefined>(
    (sum, length) => (sum === undefined || length === undefined ? undefined : sum + length),
    0,
  );
}
