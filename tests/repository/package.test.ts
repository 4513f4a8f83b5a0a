import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { ROOT, runCommand, TOUR } from "./repository.ts";
import {
  type Installed,
  installPackage,
  readmeProgram,
  runIn,
  TSC,
  withRequire,
} from "./installed-package.ts";

const SLOW = 180_000;

let installed: Installed | string = "not installed";

/** The project, or the end of a test that cannot have it. */
function project({ skip }: TestContext): Installed {
  return typeof installed === "string" ? skip(installed) : installed;
}

beforeAll(async () => {
  installed = await installPackage();
}, SLOW);

afterAll(async () => {
  if (typeof installed === "string") return;
  await rm(path.dirname(installed.folder), { recursive: true, force: true });
});

/** Type-checks a program of the project under settings of the compiler. */
async function typeCheck(cwd: string, file: string, settings: string): Promise<string> {
  const options = `--noEmit --strict --target es2022 ${settings}`.split(" ");
  const command = [...TSC, ...options, "--types", "", file];
  return (await runCommand(command, { cwd, timeout: SLOW })).stdout;
}

describe("the package, installed into a new project", () => {
  it("holds programs, types, the model and the tour, but no maps, sources and tests", (context) => {
    const { files } = project(context);
    for (const wanted of [
      "LICENSE",
      "README.md",
      "dist/index.d.ts",
      "dist/cli/main.js",
      "dist/index.js",
      TOUR,
      "models/tsvene-mini/model.safetensors",
    ]) {
      expect(files).toContain(wanted);
    }
    expect(files.filter((file) => /\.map$|\.test\.|^src\//.test(file))).toEqual([]);
  });

  it("runs the README's first program", { timeout: SLOW }, async (context) => {
    const { code, stdout, stderr } = await runIn(
      project(context),
      "first.mjs",
      await readmeProgram(),
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('" Madrid"');
    expect(stdout).toMatch(/^layer 0 .* 0\.99\d /m);
  });

  it("runs it with require", { timeout: SLOW }, async (context) => {
    const program = withRequire(await readmeProgram());
    const { code, stdout, stderr } = await runIn(project(context), "first.cjs", program);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^layer 0 .* 0\.99\d /m);
  });

  it("has the command line", { timeout: SLOW }, async (context) => {
    const { folder } = project(context);
    const command = [path.join(folder, "node_modules", ".bin", "tsvene"), "inspect", "tsvene-mini"];
    const { code, stdout, stderr } = await runCommand(command, { cwd: folder, timeout: SLOW });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("GPT2LMHeadModel");
  });

  it("runs the tour from where it is installed", { timeout: SLOW }, async (context) => {
    const { folder } = project(context);
    const tsx = path.join(ROOT, "node_modules", "tsx", "dist", "cli.mjs");
    const tour = `node_modules/tsvene/${TOUR}`;
    const command = [process.execPath, tsx, tour];
    const { code, stderr } = await runCommand(command, { cwd: folder, timeout: SLOW });
    expect(code, stderr).toBe(0);
  });

  it.for([
    ["bundler", "first.mts", "--module esnext --moduleResolution bundler --skipLibCheck false"],
    ["node16", "first.mts", "--module node16 --skipLibCheck"],
    ["nodenext", "first.mts", "--module nodenext --skipLibCheck"],
    ["nodenext, of require", "required.cts", "--module nodenext --skipLibCheck"],
  ] as const)("has types under %s", { timeout: SLOW }, async ([, file, settings], context) => {
    const { folder } = project(context);
    const code = file === "required.cts" ? REQUIRED : await readmeProgram();
    await writeFile(path.join(folder, file), code);
    expect(await typeCheck(folder, file, settings)).toBe("");
  });
});

const REQUIRED = `import tsvene = require("tsvene");
const zeros: tsvene.Tensor = tsvene.zeros([2, 3]);
// @ts-expect-error: types are there, and not any.
zeros.noSuchMethod();
`;
