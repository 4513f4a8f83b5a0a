import { parseSync } from "vite";

/** A module named by an import, a re-export, an `import()` or an import type. */
export interface ModuleSpecifier {
  readonly name: string;
  /** Line of the file, from 1. */
  readonly line: number;
  /** Whether only types are named, which is gone when the file runs. */
  readonly isType: boolean;
}

/** Lists the modules that a TypeScript file names, in the order of the text. */
export function moduleSpecifiers(file: string, code: string): ModuleSpecifier[] {
  const { program, errors } = parseSync(file, code);
  const [error] = errors;
  if (error) throw new Error(`moduleSpecifiers: ${file} does not parse: ${error.message}`);
  const found: ModuleSpecifier[] = [];
  visit(program, ({ value, start }, isType) => {
    found.push({ name: value, line: code.slice(0, start).split("\n").length, isType });
  });
  return found;
}

interface Source {
  readonly value: string;
  readonly start: number;
}

/** Every node with a `source` that is a string names a module; no other node has one. */
function visit(node: unknown, onSource: (source: Source, isType: boolean) => void): void {
  if (typeof node !== "object" || node === null) return;
  if ("source" in node && isSource(node.source)) onSource(node.source, namesTypes(node));
  for (const child of Object.values(node)) visit(child, onSource);
}

/** Whether an import or export says `type`, of itself or of all that it names. */
function namesTypes(node: object): boolean {
  const { type, importKind, exportKind, specifiers } = node as Readonly<Record<string, unknown>>;
  if (type === "TSImportType" || importKind === "type" || exportKind === "type") return true;
  const named = Array.isArray(specifiers)
    ? (specifiers as Readonly<Record<string, unknown>>[])
    : [];
  return (
    named.length > 0 &&
    named.every((one) => one["importKind"] === "type" || one["exportKind"] === "type")
  );
}

function isSource(value: unknown): value is Source {
  return typeof value === "object" && value !== null && "value" in value && "start" in value
    ? typeof value.value === "string" && typeof value.start === "number"
    : false;
}
