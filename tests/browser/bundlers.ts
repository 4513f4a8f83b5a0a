import { copyFile } from "node:fs/promises";
import path from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { type Configuration as RspackConfiguration, rspack } from "@rspack/core";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";
import { ROOT } from "../repository/repository.ts";

/** Builds the script of a page of a project into a folder, as the module `page.js`. */
export type BuildPage = (page: string, outdir: string) => Promise<void>;

/** Bundlers that leave the address of the engine's WebAssembly as it is need it put beside. */
async function copyEngine(outdir: string): Promise<void> {
  const name = "ort-wasm-simd-threaded.wasm";
  const from = path.join(ROOT, "node_modules", "onnxruntime-web", "dist", name);
  await copyFile(from, path.join(outdir, name));
}

/** What webpack and Rspack are told alike. */
const packed = (page: string, outdir: string) =>
  ({
    context: path.dirname(page),
    mode: "production",
    entry: { page },
    output: { path: outdir, filename: "page.js", module: true, publicPath: "auto" },
    experiments: { outputModule: true },
    performance: { hints: false },
    optimization: { minimize: false },
  }) as const;

/** Ends a build of webpack's kind. */
function finish(done: (error?: Error) => void) {
  return (error: Error | null, stats?: { hasErrors(): boolean; toString(): string }): void => {
    if (error !== null) done(error);
    else done(stats?.hasErrors() === true ? new Error(stats.toString()) : undefined);
  };
}

const settled = (start: (done: (error?: Error) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error === undefined ? resolve() : reject(error)));
  });

/** The bundlers that a page can be built with, each as its manual says and no more. */
export const bundlers: Readonly<Record<string, BuildPage>> = {
  Vite: async (page, outDir) => {
    const output = { entryFileNames: "page.js" };
    await vite({
      configFile: false,
      root: path.dirname(page),
      base: "./",
      logLevel: "error",
      build: { outDir, rolldownOptions: { input: page, output } },
    });
  },
  webpack: async (page, outdir) => settled((done) => webpack(packed(page, outdir), finish(done))),
  Rspack: async (page, outdir) =>
    settled((done) => rspack(packed(page, outdir) as RspackConfiguration, finish(done))),
  Rollup: async (input, dir) => {
    const plugins = [nodeResolve({ browser: true })];
    const bundle = await rollup({ input, plugins, logLevel: "silent" });
    await bundle.write({ dir, format: "es", entryFileNames: "page.js" });
    await bundle.close();
    await copyEngine(dir);
  },
  esbuild: async (page, outdir) => {
    const options = { bundle: true, format: "esm", splitting: true } as const;
    await esbuild({ ...options, entryPoints: { page }, outdir });
    await copyEngine(outdir);
  },
};
