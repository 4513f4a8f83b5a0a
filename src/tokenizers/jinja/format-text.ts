import { formatValue } from "./format-spec.ts";
import { print, repr } from "./print.ts";
import { refuse, TemplateError } from "./template-error.ts";
import type { Arguments, Run, Value } from "./values.ts";

/** Fields are taken one after the other, or by number, but not both. */
interface Numbering {
  next: number | undefined;
}

function positional(given: Arguments, index: number): Value {
  const value = given.positional[index];
  if (value !== undefined) return value;
  throw new TemplateError(`Replacement index ${index} out of range for positional args tuple`);
}

function startOf(first: string, given: Arguments, numbering: Numbering): Value {
  if (first === "") {
    if (numbering.next === undefined) {
      throw new TemplateError(
        "cannot switch from manual field specification to automatic field numbering",
      );
    }
    numbering.next += 1;
    return positional(given, numbering.next - 1);
  }
  if (/^[0-9]+$/.test(first)) {
    if (numbering.next !== undefined && numbering.next > 0) {
      throw new TemplateError(
        "cannot switch from automatic field numbering to manual field specification",
      );
    }
    numbering.next = undefined;
    return positional(given, Number(first));
  }
  const value = given.named.get(first);
  if (value === undefined) throw new TemplateError(`'${first}'`);
  return value;
}

const PATH = /\.([^.[\]]+)|\[([^\]]+)\]/gy;

function fieldValue(run: Run, name: string, given: Arguments, numbering: Numbering): Value {
  const first = /^[^.[]*/.exec(name)?.[0] ?? "";
  let value = startOf(first, given, numbering);
  let at = first.length;
  PATH.lastIndex = at;
  for (let part = PATH.exec(name); part !== null; part = PATH.exec(name)) {
    const [whole, attribute, item] = part;
    at += whole.length;
    if (attribute !== undefined) value = run.getAttribute(value, attribute);
    else {
      value = run.getItem(value, /^[0-9]+$/.test(item ?? "") ? BigInt(item ?? "") : (item ?? ""));
    }
  }
  if (at < name.length) {
    throw new TemplateError("Only '.' or '[' may follow ']' in format field specifier");
  }
  return value;
}

const FIELD = /\{\{|\}\}|\{([^{}!:]*)(?:!([^{}:]*))?(?::((?:[^{}]|\{[^{}]*\})*))?\}|[{}]/g;

/** Python's `text.format(...)` in Jinja's sandbox. */
export function formatText(run: Run, text: string, given: Arguments): string {
  const numbering: Numbering = { next: 0 };
  const write = (format: string, isOuter: boolean): string =>
    format.replaceAll(
      FIELD,
      (
        whole,
        name: string | undefined,
        conversion: string | undefined,
        spec: string | undefined,
      ) => {
        if (whole === "{{" || whole === "}}") {
          return isOuter ? whole.slice(1) : refuse("a brace in a format");
        }
        if (name === undefined) {
          throw new TemplateError(`Single '${whole}' encountered in format string`);
        }
        const value = fieldValue(run, name, given, numbering);
        if (conversion === "a") refuse("!a in a format");
        if (conversion !== undefined && conversion !== "s" && conversion !== "r") {
          throw new TemplateError(`Unknown conversion specifier ${conversion}`);
        }
        const converted = { r: () => repr(run, value), s: () => print(run, value) };
        const shown = conversion === undefined ? value : converted[conversion]();
        return formatValue(run, shown, isOuter ? write(spec ?? "", false) : (spec ?? ""));
      },
    );
  run.budget.spendText(text.length);
  const result = write(text, true);
  run.budget.spendText(result.length);
  return result;
}
