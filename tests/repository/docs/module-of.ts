import { parseSync, type ParseResult } from "vite";
import type { CodeBlock } from "./blocks.ts";

type StaticImport = ParseResult["module"]["staticImports"][number];
type ImportEntry = StaticImport["entries"][number];

/**
 * Joins the blocks of one page to one module, in which every block keeps its line numbers.
 *
 * A name may be imported by several blocks; only its first import is kept.
 *
 * @param head - Code for the first line, where no block can be.
 */
export function moduleOf(blocks: readonly CodeBlock[], head: string = ""): string {
  const values = new Set(blocks.flatMap(valueImports));
  const seen = new Set<string>();
  let text = `export {};${head}`;
  let line = 1;
  for (const block of blocks) {
    const code = withoutRepeatedImports(block.code, seen, values);
    text += "\n".repeat(block.line - line) + code;
    line = block.line + newlines(code);
  }
  return `${text}\n`;
}

/**
 * Imports what a file exports, as far as a block in one of its docstrings mentions it without
 * having imported or declared it: such a block shows the file's own names in use.
 *
 * @param exporter - Text of the file.
 * @param from - Name of the file for the import.
 */
export function ownImports(block: CodeBlock, exporter: string, from: string): string {
  const imported = new Set(
    importsOf(block.code).flatMap(({ entries }) => entries.map(({ localName }) => localName.value)),
  );
  return parseSync("file.ts", exporter)
    .module.staticExports.flatMap(({ entries }) => entries)
    .flatMap(({ exportName: { name }, isType }) => (name === null ? [] : [{ name, isType }]))
    .filter(({ name }) => !imported.has(name) && mentions(block.code, name))
    .map(({ name, isType }) => `import { ${isType ? "type " : ""}${name} } from "${from}";`)
    .join(" ");
}

function mentions(code: string, name: string): boolean {
  const declares = `\\b(?:const|let|var|function|class|interface|type)\\s+${name}\\b`;
  return new RegExp(`\\b${name}\\b`).test(code) && !new RegExp(declares).test(code);
}

function valueImports(block: CodeBlock): string[] {
  return importsOf(block.code).flatMap((statement) =>
    statement.entries.filter(({ isType }) => !isType).map((entry) => keyOf(statement, entry)),
  );
}

function withoutRepeatedImports(
  code: string,
  seen: Set<string>,
  values: ReadonlySet<string>,
): string {
  let text = "";
  let end = 0;
  for (const statement of importsOf(code)) {
    const original = code.slice(statement.start, statement.end);
    text += code.slice(end, statement.start) + rewrite(statement, original, seen, values);
    end = statement.end;
  }
  return text + code.slice(end);
}

function rewrite(
  statement: StaticImport,
  original: string,
  seen: Set<string>,
  values: ReadonlySet<string>,
): string {
  const fresh = statement.entries.filter((entry) => !seen.has(keyOf(statement, entry)));
  for (const entry of fresh) seen.add(keyOf(statement, entry));
  const becomesValue = fresh.some((entry) => entry.isType && values.has(keyOf(statement, entry)));
  if (fresh.length === statement.entries.length && !becomesValue) return original;
  const imports = fresh.map((entry) => {
    const type = entry.isType && !values.has(keyOf(statement, entry));
    return `import ${type ? "type " : ""}${clause(entry)} from ${moduleName(statement)};`;
  });
  return imports.join(" ") + "\n".repeat(newlines(original));
}

function clause({ importName, localName }: ImportEntry): string {
  if (importName.kind === "Default") return localName.value;
  if (importName.kind === "NamespaceObject") return `* as ${localName.value}`;
  return `{ ${importName.name} as ${localName.value} }`;
}

/** A block that does not parse is left as it is: the type check says where and why. */
function importsOf(code: string): StaticImport[] {
  const { module, errors } = parseSync("block.ts", code);
  return errors.length > 0 ? [] : module.staticImports;
}

function keyOf(statement: StaticImport, entry: ImportEntry): string {
  return `${clause(entry)} from ${moduleName(statement)}`;
}

function moduleName(statement: StaticImport): string {
  return JSON.stringify(statement.moduleRequest.value);
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}
