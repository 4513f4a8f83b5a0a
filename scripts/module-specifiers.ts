import { parseSync } from "vite";

/** A module named by an import, a re-export, an `import()` or an import type. */
export interface ModuleSpecifier {
  readonly name: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

/** Lists the modules that a TypeScript file names, in the order of the text. */
export function moduleSpecifiers(file: string, code: string): ModuleSpecifier[] {
  const { program, errors } = parseSync(file, code);
  const [error] = errors;
  if (error) throw new Error(`moduleSpecifiers: ${file} does not parse: ${error.message}`);
  const found: ModuleSpecifier[] = [];
  visit(program, (source) => {
    found.push({ name: source.value, line: code.slice(0, source.start).split("\n").length });
  });
  return found;
}

interface Source {
  readonly value: string;
  readonly start: number;
}

/** Every node with a `source` that is a string names a module; no other node has one. */
function visit(node: unknown, onSource: (source: Source) => void): void {
  if (typeof node !== "object" || node === null) return;
  if ("source" in node && isSource(node.source)) onSource(node.source);
  for (const child of Object.values(node)) visit(child, onSource);
}

function isSource(value: unknown): value is Source {
  return typeof value === "object" && value !== null && "value" in value && "start" in value
    ? typeof value.value === "string" && typeof value.start === "number"
    : false;
}
