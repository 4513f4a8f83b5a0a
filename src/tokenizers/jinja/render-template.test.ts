import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { renderTemplate } from "./render-template.ts";
import { TemplateError } from "./template-error.ts";

/** A template, and what Python's jinja2 writes or raises. */
interface Recorded {
  readonly template: string;
  readonly text?: string;
  readonly error?: string;
}

const NOW = new Date(2024, 6, 5, 9, 3, 7);

/** Python renders these and they are refused here, each for its own reason. */
const REFUSED = new Set([
  // Named characters need a table of 30,000 names.
  String.raw`{{ '\N{DIGIT ONE}' }}`,
  // Python's compiler forgives what is wrong with slices of constants.
  "{{ 'abc'['a':] }}",
  "{{ {}[1:] }}",
  "{{ none[1:] }}",
  "{{ [1, 2, 3][0:1, 1] }}",
  // Values that templates for models do not use: bytes, sets, infinite constants, HTML.
  "{{ 'abc'.encode() }}",
  "{{ 'abc'.translate({}) }}",
  "{{ '%f' % 1e400 }}",
  "{{ '٣'|int }}",
  "{{ html|e|upper }}",
  "{{ '<b>x</b> y'|striptags }}",
  "{{ 'see http://example.com'|urlize }}",
  "{% autoescape true %}{{ '<' }}{% endautoescape %}",
  "{{ 'well-known words'|wordwrap(8) }}",
  "{{ self }}",
  "{{ self.x }}",
]);

const golden = JSON.parse(await readFile("tests/goldens/templates.json", "utf8")) as {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cases: readonly Recorded[];
};
const variables = { ...golden.variables, big: BigInt(String(golden.variables["big"])) };

/** What is written, or undefined where the template is refused by the library's own error. */
function written(template: string, values: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return renderTemplate(template, values, { now: NOW });
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

function milliseconds(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

describe("renderTemplate", () => {
  it("writes what Python writes, or refuses, and never writes another text", () => {
    const wrong = golden.cases.filter(
      ({ template, text }) =>
        written(template, variables) !== (REFUSED.has(template) ? undefined : text),
    );
    expect(wrong).toEqual([]);
    expect(golden.cases.filter(({ text }) => text !== undefined).length).toBeGreaterThan(1100);
  });

  it("takes JavaScript's values as JSON's, and refuses those that have no form there", () => {
    const values = {
      a: { x: 1, y: undefined, z: 1.5 },
      b: [null, true],
      c: 2 ** 60,
      d: Number.NaN,
    };
    expect(renderTemplate("{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}", values)).toBe(
      "{'x': 1, 'z': 1.5}[None, True]1.152921504606847e+18nan",
    );
    const itself: unknown[] = [];
    itself.push(itself);
    const refused = [
      new Date(),
      () => 1,
      Symbol("a"),
      new Map(),
      new Uint8Array(1),
      [undefined],
      itself,
    ];
    for (const value of refused) {
      expect(() => renderTemplate("", { value })).toThrow(/value.*(rendered|nests deeper)/);
    }
  });

  it("writes a long conversation", () => {
    const messages = Array.from({ length: 2000 }, (_, i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: "word ".repeat(200),
    }));
    const template =
      "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}" +
      "{{ raise_exception('no') }}{% endif %}<{{ m.role }}>{{ m.content | trim | replace('w', 'v') }}" +
      "{{ messages[loop.index0 - 1].role if not loop.first }}{% endfor %}";
    expect(renderTemplate(template, { messages }).length).toBeGreaterThan(1_900_000);
  });
});

const big = 1_000_000;
const fill = (part: string): string => part.repeat(Math.floor(big / part.length));

/** Templates up to 1 MB that would take a process's time, memory or stack. */
const HOSTILE: Readonly<Record<string, string>> = {
  "a range": "{% for i in range(1000000000) %}{% endfor %}",
  "nested ranges": `${"{% for i in range(99999) %}".repeat(9)}${"{% endfor %}".repeat(9)}`,
  "a macro in itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  "two calls of itself": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
  parentheses: `{{ ${"(".repeat(big / 2)}${")".repeat(big / 2 - 10)} }}`,
  brackets: `{{ ${"[".repeat(big)}`,
  "braces in a dict": `{{ ${"{1:".repeat(big / 4)}`,
  not: `{{ ${fill("not ")}1 }}`,
  signs: `{{ ${fill("-")}1 }}`,
  "a sum": `{{ ${fill("1+")}1 }}`,
  "a concatenation": `{{ ${fill("'a'~")}1 }}`,
  filters: `{{ 1${fill("|string")} }}`,
  attributes: `{{ messages${fill(".a")} }}`,
  calls: `{{ range${fill("()")} }}`,
  conditions: `{{ ${fill("1 if 0 else ")}2 }}`,
  tags: fill("{% if 1 %}"),
  "closed tags": `${"{% if 1 %}".repeat(40_000)}${"{% endif %}".repeat(40_000)}`,
  "else if": `{% if 0 %}${fill("{% elif 0 %}")}{% endif %}`,
  comments: fill("{#"),
  "open braces": fill("{"),
  "open outputs": fill("{{"),
  raw: fill("{% raw %}"),
  "white space before tags": `${" ".repeat(big)}{%- if 1 -%}${" ".repeat(9)}{% endif %}`,
  "lines of white space": fill(`${" ".repeat(99)}{# a #}`),
  "a text without end": `{{ '${"a".repeat(big)}`,
  backslashes: `{{ '${"\\".repeat(big)}`,
  "a number": `{{ ${"9".repeat(big)} }}`,
  underscores: `{{ ${fill("1_")} }}`,
  "a power": "{{ 9 ** 9 ** 9 ** 9 }}",
  "repeated squares": `{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}`,
  "a repeated text": "{{ 'a' * 1000000000000 }}",
  "a repeated list": "{{ [1] * 100000000 }}",
  "a doubled text":
    "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
  "a doubled list":
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
  "shared lists in print":
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
  "shared lists compared":
    "{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
  "shared lists as JSON":
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson(indent=9) }}",
  "shared tuples as keys":
    "{% set ns = namespace(x=(1,)) %}{% for i in range(99) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1} }}",
  "a nested list in print":
    "{% set ns = namespace(x=[]) %}{% for i in range(9000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
  "a nested tuple as key":
    "{% set ns = namespace(x=()) %}{% for i in range(9000) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}",
  "nested iterators":
    "{% set ns = namespace(x=[1]) %}{% for i in range(9000) %}{% set ns.x = ns.x|map('string') %}{% endfor %}{{ ns.x|list }}",
  "a width": "{{ '%1000000000d' % 1 }}{{ '{:1000000000}'.format(1) }}",
  "a precision": "{{ '%.1000000000f' % 1 }}",
  "a centre": "{{ 'a'.center(1000000000) }}",
  zeros: "{{ '1'.zfill(1000000000) }}",
  "an indent": "{{ 'a'|indent(1000000000, true) }}",
  "an indent of JSON": "{{ [1]|tojson(indent=1000000000) }}",
  tabs: "{{ '\\t'.expandtabs(1000000000) }}",
  "a replacement": "{{ ('a' * 100000)|replace('', 'b' * 100000) }}",
  "a join": "{{ range(99999)|join('b' * 100000) }}",
  "a sum of lists": "{{ (range(99999)|batch(1)|list)|sum(start=[]) }}",
  batches: "{{ [1]|batch(1000000000, 0)|list }}",
  slices: "{{ [1]|slice(1000000000, 0)|list }}",
  "a search in characters":
    "{% set x = 'a' * 1000000 %}{% for i in range(99999) %}{{ x[i] }}{% endfor %}",
  "a recursive loop": "{% for x in [[[[1]]]] recursive %}{{ loop([x]) }}{% endfor %}",
  "a lookup in many":
    "{% set x = range(99999)|list %}{% for i in range(99999) %}{{ -1 in x }}{% endfor %}",
  rounding: "{{ 1e300|round(100000000) }}{{ 1|round(-100000000) }}{{ 1|round(100000000, 'ceil') }}",
  "a sort": "{% set x = 'ab' * 50000 %}{{ x|list|sort|join == (x|list|sort|join) }}",
};

describe("hostile templates", () => {
  it.each(Object.entries(HOSTILE))("%s: answered in under a second", (_, template) => {
    // The machine may be busy with other tests; alone, the slowest takes a fifth of this.
    expect(milliseconds(() => written(template, { messages: [] }))).toBeLessThan(5000);
  });
});
