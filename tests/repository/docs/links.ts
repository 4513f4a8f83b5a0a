import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../repository.ts";

const LINKS: readonly RegExp[] = [
  /\]\(\s*<?([^)\s>]+)>?[^)]*\)/g,
  /^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g,
  /\b(?:href|src)="([^"]+)"/g,
];

/** Lists the relative links of a page that lead nowhere, as `file:line: target`. */
export function brokenLinks(page: string): string[] {
  return withoutCode(readFileSync(path.join(ROOT, page), "utf8"))
    .split("\n")
    .flatMap((line, index) =>
      targetsOf(line)
        .filter((target) => !exists(page, target))
        .map((target) => `${page}:${index + 1}: ${target}`),
    );
}

function targetsOf(line: string): string[] {
  return LINKS.flatMap((link) => [...line.matchAll(link)].map(([, target = ""]) => target)).filter(
    (target) => !/^(?:[a-z][a-z+.-]*:|\/\/|#)/i.test(target),
  );
}

function exists(page: string, target: string): boolean {
  const [file = ""] = target.split(/[?#]/);
  const absolute = path.resolve(ROOT, path.dirname(page), decodeURIComponent(file));
  return absolute.startsWith(ROOT) && existsSync(absolute);
}

/** Blanks fenced blocks and inline code; line breaks stay. */
function withoutCode(text: string): string {
  return text
    .replaceAll(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1`*\s*$/gm, (block) =>
      block.replaceAll(/[^\n]/g, ""),
    )
    .replaceAll(/`[^`\n]+`/g, "");
}
