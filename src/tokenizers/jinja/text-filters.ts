import type { TextFilterName } from "./names.ts";
import { type Filter, filter, softText } from "./filter-row.ts";
import {
  characters,
  splitLines,
  stripEnd,
  stripStart,
  textLength,
  textSlice,
} from "./characters.ts";
import { indexArgument, strippedBy, textArgument } from "./convert-arguments.ts";
import { formatPercent } from "./format-percent.ts";
import { iterate, lengthOf, pairOf } from "./iterate.ts";
import { capitalized } from "./letters.ts";
import { escaped, print, repr } from "./print.ts";
import { splitFromEnd } from "./split-text.ts";
import { refuse, TemplateError } from "./template-error.ts";
import { padTo, replaced } from "./text-methods.ts";
import { toJson } from "./to-json.ts";
import { urlQuoted } from "./url-quote.ts";
import { wrapText } from "./wrap-text.ts";
import {
  Dict,
  isDict,
  isMarkup,
  isTrue,
  isUndefined,
  Markup,
  type Run,
  Tuple,
  typeName,
  type Value,
} from "./values.ts";

/** A filter of texts that keeps an escaped text marked as such. */
function ofText(name: string, apply: (text: string) => string): Filter {
  return filter(name, [], (run, value) => {
    const text = softText(run, value);
    run.budget.spendText(text.length);
    if (isMarkup(value)) refuse(`the filter '${name}' on an escaped text`);
    return apply(text);
  });
}

/** `title` begins words at white space and brackets only, unlike the method. */
function title(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((word) => {
      const [first = "", ...rest] = characters(word);
      return first.toUpperCase() + rest.join("").toLowerCase();
    })
    .join("");
}

/** Filters that need an exact text where an escaped one has rules of its own. */
function plainText(run: Run, value: Value, name: string): string {
  if (isMarkup(value)) refuse(`the filter '${name}' on an escaped text`);
  return softText(run, value);
}

function indent(run: Run, value: Value, [width, first, blank]: readonly Value[]): string {
  if (isMarkup(value)) refuse("the filter 'indent' on an escaped text");
  if (isUndefined(value)) value.fail();
  const text = `${textArgument(value, "indent")}\n`;
  const by =
    typeof width === "string" ? width : repeatSpace(run, indexArgument(width ?? null, "indent"));
  const lines = splitLines(text);
  run.budget.spendText(text.length + lines.length * by.length);
  const withBlank = isTrue(blank ?? null);
  const indented = lines.map((line, i) =>
    i === 0 || (line === "" && !withBlank) ? line : by + line,
  );
  return (isTrue(first ?? null) ? by : "") + indented.join("\n");
}

function repeatSpace(run: Run, count: number): string {
  run.budget.spendText(Math.max(0, count));
  return " ".repeat(Math.max(0, count));
}

function truncate(run: Run, value: Value, [length, kill, end, leeway]: readonly Value[]): Value {
  const most = indexArgument(length ?? null, "truncate");
  const ending = textArgument(end ?? null, "truncate");
  const slack = leeway === null || leeway === undefined ? 5 : indexArgument(leeway, "truncate");
  const room = most - textLength(ending);
  if (room < 0) throw new TemplateError(`expected length >= ${textLength(ending)}, got ${most}`);
  if (slack < 0) throw new TemplateError(`expected leeway >= 0, got ${slack}`);
  if (lengthOf(run, value) <= most + slack) return value;
  const text = textArgument(value, "truncate");
  if (isMarkup(value)) refuse("the filter 'truncate' on an escaped text");
  const cut = textSlice(text, 0, room);
  return (isTrue(kill ?? null) ? cut : (splitFromEnd(cut, " ", 1)[0] ?? "")) + ending;
}

const UNITS = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

function fileSize(bytes: number, isBinary: boolean): string {
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const at = UNITS.findIndex((_, i) => bytes < base ** (i + 2));
  const i = at === -1 ? UNITS.length - 1 : at;
  const unit = UNITS[i] ?? "";
  const name = isBinary ? `${unit.slice(0, 1).toUpperCase()}iB` : unit;
  return `${((base * bytes) / base ** (i + 2)).toFixed(1)} ${name}`;
}

function sizeArgument(run: Run, value: Value): number {
  const float = run.callFilter("float", value, {
    positional: [null],
    named: new Map(),
  });
  if (typeof float === "number" && Number.isFinite(float)) return float;
  throw new TemplateError(`could not convert to float: ${repr(run, value)}`);
}

/** What `tojson` is indented by: a number of spaces, or a text. */
function jsonIndent(run: Run, value: Value): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  return repeatSpace(run, indexArgument(value, "tojson"));
}

function jsonSeparators(run: Run, value: Value, isIndented: boolean): readonly [string, string] {
  if (value === null || !isTrue(value)) return [isIndented ? "," : ", ", ": "];
  const [items, keys] = pairOf(run, value);
  return [textArgument(items, "tojson"), textArgument(keys, "tojson")];
}

function sortedKeys(run: Run, value: Value): Value {
  if (!isDict(value)) return value;
  return new Dict(
    [...value.entries()].toSorted(([a], [b]) => Number(print(run, a) > print(run, b)) * 2 - 1),
  );
}

/** A value that fits on a line is written as `repr` does, with its keys in order. */
function prettyPrint(run: Run, value: Value): string {
  const text = repr(run, sortedKeys(run, value));
  if (text.length > 76 || (isDict(value) && /[{].*[{]/.test(text))) {
    refuse("the filter 'pprint' on what is longer than a line or nested");
  }
  return text;
}

function urlEncode(run: Run, value: Value): string {
  if (isDict(value) || (typeof value === "object" && value !== null && !isMarkup(value))) {
    const pairs = isDict(value) ? [...value.entries()].map((pair) => new Tuple(pair)) : value;
    const parts: string[] = [];
    for (const pair of iterate(run, pairs)) {
      const [key, item] = pairOf(run, pair);
      parts.push([key, item].map((part) => urlQuoted(softText(run, part), true)).join("="));
    }
    return parts.join("&");
  }
  return urlQuoted(softText(run, value), false);
}

function xmlAttributes(run: Run, value: Value, isSpaced: boolean): string {
  if (!isDict(value)) {
    throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
  }
  const parts: string[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || isUndefined(item)) continue;
    const name = textArgument(key, "xmlattr");
    if (/[\s/>=]/.test(name)) throw new TemplateError("Invalid character in attribute name");
    parts.push(`${escaped(run, name).text}="${escaped(run, item).text}"`);
  }
  return (isSpaced && parts.length > 0 ? " " : "") + parts.join(" ");
}

function format(run: Run, value: Value, given: Parameters<Filter>[2]): string {
  const { positional, named } = given;
  if (positional.length > 0 && named.size > 0) {
    throw new TemplateError("can't handle positional and keyword arguments at the same time");
  }
  const by = named.size > 0 ? new Dict(named) : new Tuple(positional);
  return formatPercent(run, plainText(run, value, "format"), by);
}

const ESCAPE = filter("escape", [], escaped);

export const TEXT_FILTERS: { readonly [K in TextFilterName]: Filter } = {
  capitalize: ofText("capitalize", capitalized),
  center: filter("center", [["width", 80n]], (run, value, width = null) =>
    padTo(run, plainText(run, value, "center"), {
      align: "^",
      width: indexArgument(width, "center"),
      fill: " ",
    }),
  ),
  e: ESCAPE,
  escape: ESCAPE,
  filesizeformat: filter("filesizeformat", [["binary", false]], (run, value, binary = false) =>
    fileSize(sizeArgument(run, value), isTrue(binary)),
  ),
  forceescape: filter("forceescape", [], (run, value) => escaped(run, softText(run, value))),
  format,
  indent: filter(
    "indent",
    [
      ["width", 4n],
      ["first", false],
      ["blank", false],
    ],
    (run, value, ...given) => indent(run, value, given),
  ),
  lower: ofText("lower", (text) => text.toLowerCase()),
  pprint: filter("pprint", [], prettyPrint),
  replace: filter(
    "replace",
    [["old"], ["new"], ["count", null]],
    (run, value, old = null, by = null, count = null) => {
      const [text, from, to] = [value, old, by].map((part) => softText(run, part));
      const most = count === null ? -1 : indexArgument(count, "replace");
      return replaced(run, text ?? "", from ?? "", to ?? "", most);
    },
  ),
  safe: filter("safe", [], (run, value) => new Markup(softText(run, value))),
  string: filter("string", [], (run, value) => (isMarkup(value) ? value : print(run, value))),
  striptags: () => refuse("the filter 'striptags'"),
  title: ofText("title", title),
  tojson: filter(
    "tojson",
    [
      ["ensure_ascii", false],
      ["indent", null],
      ["separators", null],
      ["sort_keys", false],
    ],
    (run, value, ensureAscii = null, indent = null, separators = null, sortKeys = null) => {
      const by = jsonIndent(run, indent);
      return toJson(run, value, {
        ensureAscii: isTrue(ensureAscii),
        indent: by,
        separators: jsonSeparators(run, separators, by !== undefined),
        sortKeys: isTrue(sortKeys),
      });
    },
  ),
  trim: filter("trim", [["chars", null]], (run, value, chars = null) => {
    const isStripped = strippedBy(chars, "trim");
    const text = softText(run, value);
    run.budget.spendText(text.length);
    const trimmed = stripEnd(stripStart(text, isStripped), isStripped);
    return isMarkup(value) ? new Markup(trimmed) : trimmed;
  }),
  truncate: filter(
    "truncate",
    [
      ["length", 255n],
      ["killwords", false],
      ["end", "..."],
      ["leeway", null],
    ],
    (run, value, ...given) => truncate(run, value, given),
  ),
  upper: ofText("upper", (text) => text.toUpperCase()),
  urlencode: filter("urlencode", [], urlEncode),
  urlize: () => refuse("the filter 'urlize'"),
  wordcount: filter("wordcount", [], (run, value) => {
    const text = softText(run, value);
    run.budget.spendText(text.length);
    return BigInt(text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0);
  }),
  wordwrap: filter(
    "wordwrap",
    [
      ["width", 79n],
      ["break_long_words", true],
      ["wrapstring", null],
      ["break_on_hyphens", true],
    ],
    (run, value, width = null, breakWords = null, wrapString = null, breakHyphens = null) => {
      if (isMarkup(value)) refuse("the filter 'wordwrap' on an escaped text");
      const text = textArgument(value, "wordwrap");
      if (isTrue(breakHyphens) && text.includes("-")) {
        refuse("the filter 'wordwrap' on words with hyphens");
      }
      const lines = wrapText(run, text, {
        width: indexArgument(width, "wordwrap"),
        breakWords: isTrue(breakWords),
      });
      return lines.join(wrapString === null ? "\n" : textArgument(wrapString, "wordwrap"));
    },
  ),
  xmlattr: filter("xmlattr", [["autospace", true]], (run, value, autospace = null) =>
    xmlAttributes(run, value, isTrue(autospace)),
  ),
};
