import { bindArguments, type ParameterSpec } from "./bind-arguments.ts";
import {
  characters,
  codePointIndex,
  splitLines,
  stripEnd,
  stripStart,
  textLength,
  textSlice,
} from "./characters.ts";
import {
  affixes,
  clippedBounds,
  indexArgument,
  strippedBy,
  textArgument,
} from "./convert-arguments.ts";
import { formatText } from "./format-text.ts";
import { iterate } from "./iterate.ts";
import { capitalized, CHARACTER_TESTS, swappedCase, titled } from "./letters.ts";
import { padded } from "./format-spec.ts";
import { countParts, replace, split, splitFromEnd } from "./split-text.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { type Arguments, isTrue, type Run, Tuple, typeName, type Value } from "./values.ts";

type TextMethod = (run: Run, text: string, given: Arguments) => Value;

/** A method whose parameters have names. */
function method(
  name: string,
  parameters: readonly ParameterSpec[],
  apply: (run: Run, text: string, ...values: Value[]) => Value,
  positionalOnly = true,
): TextMethod {
  return (run, text, given) => {
    if (positionalOnly && given.named.size > 0) {
      throw new TemplateError(`str.${name}() takes no keyword arguments`);
    }
    return apply(run, text, ...bindArguments(name, parameters, given));
  };
}

function plain(name: string, apply: (text: string) => Value): TextMethod {
  return method(name, [], (_run, text) => apply(text));
}

function strip(name: string, ...strips: readonly (typeof stripStart)[]): TextMethod {
  return method(name, [["chars", null]], (_run, text, chars = null) => {
    const isStripped = strippedBy(chars, name);
    return strips.reduce((rest, cut) => cut(rest, isStripped), text);
  });
}

const SPLIT: readonly ParameterSpec[] = [
  ["sep", null],
  ["maxsplit", -1n],
];

function splitting(name: string, cut: typeof split): TextMethod {
  return method(
    name,
    SPLIT,
    (run, text, separator = null, most = null) => {
      const by = separator === null ? null : textArgument(separator, name);
      const parts = cut(text, by, indexArgument(most, name));
      run.budget.spend(parts.length);
      return parts;
    },
    false,
  );
}

const RANGE: readonly ParameterSpec[] = [["sub"], ["start", null], ["end", null]];

/** A method that looks within part of a text. */
function within(
  name: string,
  look: (run: Run, part: string, sought: Value, start: number, isInside: boolean) => Value,
): TextMethod {
  return method(name, RANGE, (run, text, sought = null, start = null, end = null) => {
    if (start === null && end === null) return look(run, text, sought, 0, true);
    const length = textLength(text);
    const [from, to] = clippedBounds(start, end, length);
    const isInside = start === null || indexArgument(start, name) <= length;
    return look(
      run,
      textSlice(text, from, Math.max(from, to)),
      sought,
      from,
      isInside && from <= to,
    );
  });
}

function finding(name: string, find: "indexOf" | "lastIndexOf", isStrict: boolean): TextMethod {
  return within(name, (_run, part, sought, start, isInside) => {
    const at = isInside ? part[find](textArgument(sought, name)) : -1;
    if (at === -1 && isStrict) throw new TemplateError("substring not found");
    return BigInt(at === -1 ? -1 : codePointIndex(part, at) + start);
  });
}

function affix(name: string, has: (part: string, affix: string) => boolean): TextMethod {
  return within(name, (_run, part, sought, _start, isInside) =>
    isInside ? affixes(sought, name).some((one) => has(part, one)) : affixes(sought, name) === null,
  );
}

function partition(name: string, find: "indexOf" | "lastIndexOf"): TextMethod {
  return method(name, [["sep"]], (_run, text, separator = null) => {
    const by = textArgument(separator, name);
    if (by === "") throw new TemplateError("empty separator");
    const at = text[find](by);
    if (at !== -1) return new Tuple([text.slice(0, at), by, text.slice(at + by.length)]);
    return new Tuple(find === "indexOf" ? [text, "", ""] : ["", "", text]);
  });
}

function aligned(name: string, align: string): TextMethod {
  return method(name, [["width"], ["fillchar", " "]], (run, text, width = null, fill = null) => {
    const letter = textArgument(fill, name);
    if (textLength(letter) !== 1) {
      throw new TemplateError("The fill character must be exactly one character long");
    }
    return padTo(run, text, { align, width: indexArgument(width, name), fill: letter });
  });
}

/** `center` puts the odd character on the left where the width is odd too. */
export function padTo(
  run: Run,
  text: string,
  { align, width, fill }: { align: string; width: number; fill: string },
): string {
  const missing = width - textLength(text);
  if (missing <= 0) return text;
  run.budget.spendText(width);
  if (align !== "^") return padded(run, text, { fill, align, width, plus: "" });
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

function zeroFilled(run: Run, text: string, width: number): string {
  const missing = width - textLength(text);
  if (missing <= 0) return text;
  run.budget.spendText(width);
  const sign = /^[-+]/.test(text) ? text.slice(0, 1) : "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

/** `text.join(values)`. */
function join(run: Run, text: string, values: Value): string {
  const parts: string[] = [];
  for (const value of iterate(run, values)) {
    if (typeof value !== "string") {
      if (typeName(value) === "Markup") refuse("a join with escaped texts");
      throw new TemplateError(
        `sequence item ${parts.length}: expected str instance, ${typeName(value)} found`,
      );
    }
    run.budget.spendText(value.length + text.length);
    parts.push(value);
  }
  return parts.join(text);
}

function expandTabs(run: Run, text: string, size: number): string {
  let column = 0;
  return characters(text)
    .map((letter) => {
      if (letter === "\n" || letter === "\r") column = 0;
      else if (letter !== "\t") column += 1;
      if (letter !== "\t") return letter;
      const spaces = size <= 0 ? 0 : size - (column % size);
      run.budget.spendText(spaces);
      column += spaces;
      return " ".repeat(spaces);
    })
    .join("");
}

function cutAffix(name: string, at: "start" | "end"): TextMethod {
  return method(name, [["affix"]], (_run, text, value = null) => {
    const part = textArgument(value, name);
    if (part === "") return text;
    if (at === "start") return text.startsWith(part) ? text.slice(part.length) : text;
    return text.endsWith(part) ? text.slice(0, -part.length) : text;
  });
}

const REPLACE: readonly ParameterSpec[] = [["old"], ["new"], ["count", -1n]];

/** `text.replace`, whose length is counted before it is made. */
export function replaced(run: Run, text: string, old: string, by: string, most: number): string {
  const count = by.length > old.length ? countParts(text, old) : 0;
  run.budget.spendText(text.length + (most < 0 ? count : Math.min(count, most)) * by.length);
  return replace(text, old, by, most);
}

/** No method of a text is reached that is not in this table. */
const METHODS = {
  capitalize: plain("capitalize", capitalized),
  casefold: plain("casefold", caseFolded),
  center: aligned("center", "^"),
  count: within("count", (_run, part, sought, _start, isInside) =>
    isInside ? BigInt(countParts(part, textArgument(sought, "count"))) : 0n,
  ),
  encode: () => refuse("bytes, which encode() gives,"),
  endswith: affix("endswith", (part, end) => part.endsWith(end)),
  expandtabs: method(
    "expandtabs",
    [["tabsize", 8n]],
    (run, text, size = null) => expandTabs(run, text, indexArgument(size, "expandtabs")),
    false,
  ),
  find: finding("find", "indexOf", false),
  format: formatText,
  format_map: () => refuse("format_map()"),
  index: finding("index", "indexOf", true),
  join: method("join", [["iterable"]], (run, text, values = null) => join(run, text, values)),
  ljust: aligned("ljust", "<"),
  lower: plain("lower", (text) => text.toLowerCase()),
  lstrip: strip("lstrip", stripStart),
  maketrans: () => refuse("maketrans()"),
  partition: partition("partition", "indexOf"),
  removeprefix: cutAffix("removeprefix", "start"),
  removesuffix: cutAffix("removesuffix", "end"),
  replace: method("replace", REPLACE, (run, text, old = null, by = null, count = null) => {
    const [from, to] = [textArgument(old, "replace"), textArgument(by, "replace")];
    return replaced(run, text, from, to, indexArgument(count, "replace"));
  }),
  rfind: finding("rfind", "lastIndexOf", false),
  rindex: finding("rindex", "lastIndexOf", true),
  rjust: aligned("rjust", ">"),
  rpartition: partition("rpartition", "lastIndexOf"),
  rsplit: splitting("rsplit", splitFromEnd),
  rstrip: strip("rstrip", stripEnd),
  split: splitting("split", split),
  splitlines: method(
    "splitlines",
    [["keepends", false]],
    (run, text, keepEnds = false) => {
      const lines = splitLines(text, isTrue(keepEnds));
      run.budget.spend(lines.length);
      return lines;
    },
    false,
  ),
  startswith: affix("startswith", (part, start) => part.startsWith(start)),
  strip: strip("strip", stripStart, stripEnd),
  swapcase: plain("swapcase", swappedCase),
  title: plain("title", titled),
  translate: () => refuse("translate()"),
  upper: plain("upper", (text) => text.toUpperCase()),
  zfill: method("zfill", [["width"]], (run, text, width = null) =>
    zeroFilled(run, text, indexArgument(width, "zfill")),
  ),
  ...Object.fromEntries(
    Object.entries(CHARACTER_TESTS).map(([name, test]) => [name, plain(name, test)]),
  ),
} satisfies Readonly<Record<string, TextMethod>>;

export const TEXT_METHODS: ReadonlyMap<string, TextMethod> = new Map(
  Object.entries<TextMethod>(METHODS),
);

/** Case folding beyond lower case is for letters that JavaScript has no rule for. */
function caseFolded(text: string): string {
  const folded = characters(text).map((letter) => {
    const lower = letter.toLowerCase();
    const upper = letter.toUpperCase();
    return upper.length > letter.length ? upper.toLowerCase() : lower;
  });
  if (
    /[^\p{ASCII}\u00c0-\u024f\u0400-\u04ff\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{P}\p{S}]/u.test(
      text,
    )
  ) {
    refuse("casefold() of these letters");
  }
  return folded.join("");
}
