import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { expect, test } from "vitest";
import { moduleSpecifiers } from "../../scripts/module-specifiers.ts";
import { listFiles, ROOT } from "./repository.ts";

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly sideEffects: readonly string[];
}

const text = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const manifest = JSON.parse(text("package.json")) as Manifest;
const sources = listFiles("src", ".ts").filter((file) => !file.endsWith(".test.ts"));

/** Packages that files name, each once, sorted. */
function packagesOf(files: readonly string[]): string[] {
  const names = files.flatMap((file) => moduleSpecifiers(file, text(file)).map(({ name }) => name));
  const packages = names
    .filter((name) => !/^[.#]/.test(name) && !isBuiltin(name))
    .map((name) => (/^(?:@[^/]+\/)?[^/]+/.exec(name) ?? [name])[0]);
  return [...new Set(packages)].sort();
}

test("users install what the sources import, and nothing else", () => {
  expect(packagesOf(sources)).toEqual(Object.keys(manifest.dependencies).sort());
});

test("the examples need nothing but the package", () => {
  expect(packagesOf(listFiles("examples", ".ts"))).toEqual(["tsvene"]);
});

test.each(manifest.sideEffects)("sideEffects names a file with %s", (pattern) => {
  // Of the file that a package's name leads to there is one; others are named by how they end.
  const [, only] = /^\.\/(?:dist|src)\/(\w+)\.[jt]s$/.exec(pattern) ?? [];
  const [, place = ""] = /^\*\*\/(.+)\.\*$/.exec(pattern) ?? [];
  const named = sources.filter((file) =>
    only === undefined ? file.endsWith(`/${place}.ts`) : file === `src/${only}.ts`,
  );
  expect(named).toHaveLength(1);
});

test("the sources know the version of the package", () => {
  const { version } = JSON.parse(text("package.json")) as { readonly version: string };
  expect(text("src/base/version.ts")).toContain(`VERSION = "${version}"`);
});
