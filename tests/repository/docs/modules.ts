import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { listFiles, ROOT } from "../repository.ts";
import { docstringBlocks, markdownBlocks, type CodeBlock } from "./blocks.ts";
import { moduleOf, ownImports } from "./module-of.ts";

/** The code of a page, or of one block of a docstring, written out as a module. */
export interface DocModule {
  /** What is documented: `page.md`, or `file.ts:line`. */
  readonly name: string;
  /** File of the repository that holds the code. The modules have its line numbers. */
  readonly source: string;
  /** Path of the module with all blocks, for the type check. */
  readonly check: string;
  /** Path of the module with the blocks that run, or undefined when none does. */
  readonly run: string | undefined;
}

/**
 * Where the modules are written: below the root, so that they may import `tsvene`, and outside
 * of node_modules, where a package cannot import itself.
 */
export const MODULES_FOLDER: string = path.join(ROOT, ".cache", "docs");

/** All pages of the repository. */
export function pages(): string[] {
  return listFiles("", ".md").filter((file) => !file.startsWith("tests/goldens/"));
}

/** Writes the modules of all pages and of all docstrings, and removes those of earlier runs. */
export function writeDocModules(): { inPages: DocModule[]; inDocstrings: DocModule[] } {
  rmSync(MODULES_FOLDER, { recursive: true, force: true });
  return { inPages: pageModules(), inDocstrings: docstringModules() };
}

function pageModules(): DocModule[] {
  return pages()
    .filter((file) => file === "README.md" || file.startsWith("docs/"))
    .flatMap((file) => {
      const blocks = parse(file, markdownBlocks);
      const running = blocks.filter(({ run }) => run);
      if (blocks.length === 0) return [];
      const check = writeModule("check", file, moduleOf(blocks));
      const run = running.length > 0 ? writeModule("run", file, moduleOf(running)) : undefined;
      return [{ name: file, source: file, check, run }];
    });
}

function docstringModules(): DocModule[] {
  return listFiles("src", ".ts")
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => {
      const text = readFileSync(path.join(ROOT, file), "utf8");
      return parse(file, docstringBlocks).map((block) => docstringModule(file, text, block));
    });
}

function docstringModule(file: string, text: string, block: CodeBlock): DocModule {
  const place = `${file}-L${block.line}`;
  const folder = path.join(MODULES_FOLDER, "check", path.dirname(file));
  const from = path.relative(folder, path.join(ROOT, file)).replaceAll(path.sep, "/");
  const code = moduleOf([block], ownImports(block, text, from));
  const check = writeModule("check", place, code);
  const run = block.run ? writeModule("run", place, code) : undefined;
  return { name: `${file}:${block.line}`, source: file, check, run };
}

function parse(file: string, blocksOf: (text: string) => CodeBlock[]): CodeBlock[] {
  try {
    return blocksOf(readFileSync(path.join(ROOT, file), "utf8"));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${file}: ${message}`, { cause });
  }
}

function writeModule(kind: "check" | "run", place: string, code: string): string {
  const absolute = path.join(MODULES_FOLDER, kind, `${place}.ts`);
  mkdirSync(path.dirname(absolute), { recursive: true });
  writeFileSync(absolute, code);
  return absolute;
}
