import { parseSync } from "vite";

/** A fenced block of TypeScript in a page or a docstring. */
export interface CodeBlock {
  readonly code: string;
  /** Line of the file where the code begins, from 1. */
  readonly line: number;
  /** False for a block marked `no-run`, which is type-checked only. */
  readonly run: boolean;
}

const FENCE = /^\s*(?<fence>`{3,}|~{3,})\s*(?<info>[^`]*)$/;

/**
 * Lists the blocks of a Markdown text that are marked `ts` or `typescript`.
 *
 * @param text - The text.
 * @param firstLine - Line of the file where the text begins. @default 1
 * @throws Error when a fence is not closed.
 */
export function markdownBlocks(text: string, firstLine: number = 1): CodeBlock[] {
  const lines = text.split("\n");
  const blocks: CodeBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    const { fence, info } = FENCE.exec(lines[i] ?? "")?.groups ?? {};
    if (fence === undefined || info === undefined) continue;
    const start = i + 1;
    const end = lines.findIndex((line, at) => at >= start && closes(line, fence));
    if (end < 0) throw new Error(`the code block of line ${firstLine + i} is not closed`);
    const [language = "", ...flags] = info.trim().split(/\s+/);
    if (language === "ts" || language === "typescript") {
      const code = lines.slice(start, end).join("\n");
      blocks.push({ code, line: firstLine + start, run: !flags.includes("no-run") });
    }
    i = end;
  }
  return blocks;
}

function closes(line: string, fence: string): boolean {
  const text = line.trim();
  return text.startsWith(fence) && new Set(text).size === 1;
}

/**
 * Lists the TypeScript blocks in the docstrings of a TypeScript file.
 *
 * @throws Error when an `@example` holds no such block: nothing would check it.
 */
export function docstringBlocks(code: string): CodeBlock[] {
  return parseSync("file.ts", code)
    .comments.filter(({ type, value }) => type === "Block" && value.startsWith("*"))
    .flatMap(({ value, start }) => {
      const line = lineAt(code, start);
      const text = value.replaceAll(/^[ \t]*\* ?/gm, "");
      requireBlocks(text, line);
      return markdownBlocks(text, line);
    });
}

function requireBlocks(text: string, line: number): void {
  const [, ...examples] = text.split(/^@example\b/m);
  for (const example of examples) {
    if (markdownBlocks(example.split(/^@\w/m)[0] ?? "").length > 0) continue;
    throw new Error(`the docstring of line ${line} has an @example without a \`\`\`ts block`);
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
