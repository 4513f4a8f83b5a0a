import { type Budget, spend } from "../budget.ts";
import type { CharSet } from "../char-set.ts";
import { WORD_CHARACTER } from "./character-classes.ts";
import { type Instruction, Op, type Program } from "./compile.ts";
import type { Assertion } from "./syntax.ts";

const WHO = "a regular expression";

/** What is left to try: a place to go on; a loop to shorten or to lengthen; a register to reset. */
const Retry = { At: 0, Shorter: 1, Longer: 2, Reset: 3 } as const;

/**
 * Where a match that begins at `begin` ends, or -1. Tries in the order of the pattern, as Perl,
 * Oniguruma and JavaScript do, but on a stack of its own and with a number of steps.
 */
export function matchAt(program: Program, text: string, begin: number, budget: Budget): number {
  const stack: number[] = [];
  const registers: number[] = [];
  let pc = 0;
  let at = begin;
  for (;;) {
    spend(budget, 1, WHO);
    const step = program[pc];
    if (step === undefined || step.op === Op.End) return at;
    let next = -1;
    switch (step.op) {
      case Op.Character:
        next = text.codePointAt(at) === step.x ? at + (step.x > 0xffff ? 2 : 1) : -1;
        break;
      case Op.Set:
        next = afterSet(step.set, text, at);
        break;
      case Op.Split:
        stack.push(Retry.At, step.y, at, 0);
        pc = step.x;
        continue;
      case Op.Jump:
        pc = step.x;
        continue;
      case Op.Greedy:
      case Op.Possessive: {
        const [least, most] = runLength(step, text, at, budget);
        if (least >= 0 && most > least && step.op === Op.Greedy) {
          stack.push(Retry.Shorter, pc + 1, most, least);
        }
        next = least < 0 ? -1 : most;
        break;
      }
      case Op.Lazy:
        next = leastRun(step, text, at);
        if (next >= 0) stack.push(Retry.Longer, pc, next, step.x);
        break;
      case Op.Ahead:
        next = matchAt(step.inner, text, at, budget) >= 0 === step.negated ? -1 : at;
        break;
      case Op.Behind:
        next = matchesBefore(step, text, at, budget) === step.negated ? -1 : at;
        break;
      case Op.Atomic:
        next = matchAt(step.inner, text, at, budget);
        break;
      case Op.Assert:
        next = ASSERTIONS[step.at](text, at) ? at : -1;
        break;
      case Op.Mark:
        stack.push(Retry.Reset, step.x, registers[step.x] ?? -1, 0);
        registers[step.x] = at;
        next = at;
        break;
      default:
        next = at;
        if (registers[step.x] === at) {
          pc = step.y;
          continue;
        }
    }
    if (next >= 0) {
      at = next;
      pc++;
      continue;
    }
    let found = false;
    while (!found && stack.length > 0) {
      const extra = stack.pop() ?? 0;
      const position = stack.pop() ?? 0;
      const place = stack.pop() ?? 0;
      const kind = stack.pop();
      spend(budget, 1, WHO);
      if (kind === Retry.Reset) {
        registers[place] = position;
        continue;
      }
      found = true;
      pc = place;
      at = position;
      if (kind === Retry.Shorter) {
        at = before(text, position);
        if (at > extra) stack.push(Retry.Shorter, place, at, extra);
      } else if (kind === Retry.Longer) {
        const loop = program[place];
        at = loop === undefined || extra >= loop.y ? -1 : afterSet(loop.set, text, position);
        found = at >= 0;
        if (found) stack.push(Retry.Longer, place, at, extra + 1);
        pc = place + 1;
      }
    }
    if (!found) return -1;
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

function leastRun({ set, x }: Instruction, text: string, begin: number): number {
  let at = begin;
  for (let i = 0; i < x && at >= 0; i++) at = afterSet(set, text, at);
  return at;
}

/** The place one character earlier. */
function before(text: string, at: number): number {
  const low = text.charCodeAt(at - 1);
  const high = text.charCodeAt(at - 2);
  const isPair = low >= 0xdc00 && low < 0xe000 && high >= 0xd800 && high < 0xdc00;
  return at - (isPair ? 2 : 1);
}

function matchesBefore({ behind }: Instruction, text: string, at: number, budget: Budget): boolean {
  return behind.some(([length, program]) => {
    let begin = at;
    for (let i = 0; i < length && begin >= 0; i++) begin = begin === 0 ? -1 : before(text, begin);
    return begin >= 0 && matchAt(program, text, begin, budget) === at;
  });
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
