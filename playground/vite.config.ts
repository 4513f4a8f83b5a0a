import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type UserConfig } from "vite";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MODEL = path.join(HERE, "../models/tsvene-mini");
const MODEL_FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/** Puts the model that comes with the package into the site, where the development server finds it too. */
function shippedModel(): Plugin {
  let outDir = "";
  return {
    name: "shipped-model",
    configResolved: (config) => {
      outDir = path.resolve(config.root, config.build.outDir);
    },
    configureServer: ({ middlewares }) => {
      middlewares.use("/models/tsvene-mini", (request, response, next) => {
        const name = path.basename(new URL(request.url ?? "/", "http://localhost").pathname);
        if (!MODEL_FILES.includes(name)) return next();
        return response.end(readFileSync(path.join(MODEL, name)));
      });
    },
    writeBundle: async () => {
      for (const name of MODEL_FILES) {
        await cp(path.join(MODEL, name), path.join(outDir, "models/tsvene-mini", name));
      }
    },
  };
}

/** Writes the service worker with the list of all that the site consists of, so that it works offline. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const code = readFileSync(path.join(HERE, "service-worker.js"), "utf8");
      const files = [
        "./",
        ...Object.keys(bundle),
        ...MODEL_FILES.map((name) => `models/tsvene-mini/${name}`),
      ];
      const source = code.replace("[/* files */]", JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "service-worker.js", source });
    },
  };
}

const config: UserConfig = defineConfig({
  base: "./",
  // The sources of the package, so that the site needs no build of it.
  resolve: { conditions: ["tsvene-source", "module", "browser", "development|production"] },
  optimizeDeps: { exclude: ["tsvene"] },
  worker: { format: "es" },
  build: { target: "es2022", chunkSizeWarningLimit: 1000 },
  plugins: [shippedModel(), serviceWorker()],
});

export default config;
