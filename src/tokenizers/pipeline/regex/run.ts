import { type Budget, spend } from "../budget.ts";
import type { CharSet } from "../char-set.ts";
import { WORD_CHARACTER } from "./character-classes.ts";
import { type Instruction, Op, type Program } from "./compile.ts";
import type { Assertion } from "./syntax.ts";

const WHO = "a regular expression";

/** What is left to try: a place to go on; a loop to shorten or to lengthen; a register to reset. */
const Retry = { At: 0, Shorter: 1, Longer: 2, Reset: 3 } as const;

/** Taking something up again takes as long as several instructions. */
const RETRY_STEPS = 4;

/** What `#step` answers where no match goes on, and where it chose the next instruction itself. */
const FAILED = -1;
const JUMPED = -2;

/**
 * Finds matches of a program in a text. It tries in the order of the pattern, as Perl, Oniguruma
 * and JavaScript do, but on a stack of its own and with a number of steps.
 */
export class Matcher {
  readonly #program: Program;
  readonly #text: string;
  readonly #budget: Budget;
  /** What is left to try: four numbers each. */
  readonly #stack: number[] = [];
  /** Where the rounds of endless loops began. */
  readonly #registers: number[] = [];
  #pc = 0;
  #at = 0;

  constructor(program: Program, text: string, budget: Budget) {
    this.#program = program;
    this.#text = text;
    this.#budget = budget;
  }

  /** Where a match that begins at `begin` ends, or -1. */
  matchAt(begin: number): number {
    this.#stack.length = 0;
    this.#registers.length = 0;
    this.#pc = 0;
    this.#at = begin;
    for (;;) {
      spend(this.#budget, 1, WHO);
      const step = this.#program[this.#pc];
      if (step === undefined || step.op === Op.End) return this.#at;
      const next = this.#step(step);
      if (next >= 0) {
        this.#at = next;
        this.#pc++;
      } else if (next === FAILED && !this.#retry()) return -1;
    }
  }

  /** Where the text goes on after an instruction, or what became of it. */
  #step(step: Instruction): number {
    const at = this.#at;
    switch (step.op) {
      case Op.Character:
        if (this.#text.codePointAt(at) !== step.x) return FAILED;
        return at + (step.x > 0xffff ? 2 : 1);
      case Op.Set:
        return afterSet(step.set, this.#text, at);
      case Op.Split:
        this.#stack.push(Retry.At, step.y, at, 0);
        return this.#jump(step.x);
      case Op.Jump:
        return this.#jump(step.x);
      case Op.Greedy:
      case Op.Possessive:
        return this.#run(step);
      case Op.Lazy:
        return this.#lazyRun(step);
      case Op.Ahead:
        return this.#matchInner(step) >= 0 === step.negated ? FAILED : at;
      case Op.Behind:
        return this.#matchesBefore(step) === step.negated ? FAILED : at;
      case Op.Atomic:
        return this.#matchInner(step);
      case Op.Assert:
        return ASSERTIONS[step.at](this.#text, at) ? at : FAILED;
      case Op.Mark:
        this.#stack.push(Retry.Reset, step.x, this.#registers[step.x] ?? -1, 0);
        this.#registers[step.x] = at;
        return at;
      default:
        return this.#registers[step.x] === at ? this.#jump(step.y) : at;
    }
  }

  #jump(pc: number): number {
    this.#pc = pc;
    return JUMPED;
  }

  #run(step: Instruction): number {
    const [least, most] = runLength(step, this.#text, this.#at, this.#budget);
    if (least < 0) return FAILED;
    if (most > least && step.op === Op.Greedy) {
      this.#stack.push(Retry.Shorter, this.#pc + 1, most, least);
    }
    return most;
  }

  #lazyRun(step: Instruction): number {
    const next = leastRun(step, this.#text, this.#at, this.#budget);
    if (next >= 0) this.#stack.push(Retry.Longer, this.#pc, next, step.x);
    return next;
  }

  #matchInner({ inner }: Instruction): number {
    return new Matcher(inner, this.#text, this.#budget).matchAt(this.#at);
  }

  #matchesBefore({ behind }: Instruction): boolean {
    return behind.some(([length, program]) => {
      let begin = this.#at;
      spend(this.#budget, Math.min(length, begin), WHO);
      for (let i = 0; i < length && begin >= 0; i++) {
        begin = begin === 0 ? -1 : before(this.#text, begin);
      }
      const matcher = new Matcher(program, this.#text, this.#budget);
      return begin >= 0 && matcher.matchAt(begin) === this.#at;
    });
  }

  /** Takes up what was put off last; false when nothing is left. */
  #retry(): boolean {
    const stack = this.#stack;
    while (stack.length > 0) {
      const extra = stack.pop() ?? 0;
      const position = stack.pop() ?? 0;
      const place = stack.pop() ?? 0;
      const kind = stack.pop();
      spend(this.#budget, RETRY_STEPS, WHO);
      if (kind === Retry.Reset) this.#registers[place] = position;
      else if (kind === Retry.Longer) {
        if (this.#lengthen(place, position, extra)) return true;
      } else {
        const isShorter = kind === Retry.Shorter;
        this.#pc = place;
        this.#at = isShorter ? before(this.#text, position) : position;
        if (isShorter && this.#at > extra) stack.push(Retry.Shorter, place, this.#at, extra);
        return true;
      }
    }
    return false;
  }

  /** Gives a lazy loop one character more. */
  #lengthen(place: number, position: number, count: number): boolean {
    const loop = this.#program[place];
    if (loop === undefined || count >= loop.y) return false;
    const next = afterSet(loop.set, this.#text, position);
    if (next < 0) return false;
    this.#stack.push(Retry.Longer, place, next, count + 1);
    this.#pc = place + 1;
    this.#at = next;
    return true;
  }
}

/** After the character at a place, if a set has it; else -1. */
function afterSet(set: CharSet, text: string, at: number): number {
  const code = text.codePointAt(at);
  if (code === undefined || !set.has(code)) return -1;
  return at + (code > 0xffff ? 2 : 1);
}

/** Where the shortest and the longest run end that a loop allows; -1 when there are too few. */
function runLength(
  { set, x, y }: Instruction,
  text: string,
  begin: number,
  budget: Budget,
): readonly [least: number, most: number] {
  let least = x === 0 ? begin : -1;
  let at = begin;
  let count = 0;
  while (count < y) {
    const next = afterSet(set, text, at);
    if (next < 0) break;
    at = next;
    if (++count === x) least = at;
  }
  spend(budget, count, WHO);
  return [least, at];
}

function leastRun({ set, x }: Instruction, text: string, begin: number, budget: Budget): number {
  let at = begin;
  for (let i = 0; i < x && at >= 0; i++) at = afterSet(set, text, at);
  spend(budget, Math.max(0, at - begin), WHO);
  return at;
}

/** The place one character earlier. */
function before(text: string, at: number): number {
  const low = text.charCodeAt(at - 1);
  const high = text.charCodeAt(at - 2);
  const isPair = low >= 0xdc00 && low < 0xe000 && high >= 0xd800 && high < 0xdc00;
  return at - (isPair ? 2 : 1);
}

function isWordAt(text: string, at: number): boolean {
  const code = text.codePointAt(at);
  return code !== undefined && WORD_CHARACTER.has(code);
}

function isWordEdge(text: string, at: number): boolean {
  const previous = at > 0 && isWordAt(text, before(text, at));
  return previous !== isWordAt(text, at);
}

const ASSERTIONS: { readonly [K in Assertion]: (text: string, at: number) => boolean } = {
  lineStart: (text, at) => at === 0 || (text[at - 1] === "\n" && at < text.length),
  lineEnd: (text, at) => at === text.length || text[at] === "\n",
  textStart: (_, at) => at === 0,
  textEnd: (text, at) => at === text.length,
  lastLineEnd: (text, at) => at === text.length || (at === text.length - 1 && text[at] === "\n"),
  wordEdge: isWordEdge,
  noWordEdge: (text, at) => !isWordEdge(text, at),
};
