/*
 * Part of npm run build: writes the package once more, for pages without a bundler, to `dist/browser`.
 * A page imports `index.js`, which loads the engine and families of models from beside it.
 */
import { copyFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * What the Hub's library has for pages. Its package.json says so in a way that some bundlers do not
 * follow, which then ask for Node's modules.
 */
const HUB = path.join(ROOT, "node_modules", "@huggingface", "hub", "dist", "browser", "index.mjs");

/** The engine's WebAssembly, which is looked for beside the script. */
const ENGINE = "ort-wasm-simd-threaded.wasm";

/**
 * @param dist What the compiler has written.
 */
export async function buildForPages(dist: string): Promise<void> {
  const outdir = path.join(dist, "browser");
  await build({
    // The second is for bundlers, by the entry `#hub` of package.json.
    entryPoints: { index: path.join(dist, "index.js"), hub: HUB },
    outdir,
    bundle: true,
    alias: { "#hub": HUB },
    format: "esm",
    // What is loaded when it is needed, such as a family of models, has a file of its own.
    splitting: true,
    chunkNames: "[name]-[hash]",
    minify: true,
    target: "es2022",
    legalComments: "linked",
    logLevel: "warning",
  });
  const engine = path.join(ROOT, "node_modules", "onnxruntime-web", "dist", ENGINE);
  copyFileSync(engine, path.join(outdir, ENGINE));
}

const [, program, dist = path.join(ROOT, "dist")] = process.argv;
if (program === fileURLToPath(import.meta.url)) await buildForPages(dist);
