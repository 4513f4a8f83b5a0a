import { playwright } from "@vitest/browser-playwright";
import {
  defineConfig,
  type TestProjectInlineConfiguration,
  type ViteUserConfig,
} from "vitest/config";
import { CHROMIUM, CHROMIUM_FLAGS } from "./tests/browser/chromium.ts";

/** Resolves `tsvene` and `#ort` to the sources, so that tests need no build. */
const conditions = ["tsvene-source", "node", "import", "module", "default"];

/** The suites of all backends, which run once more in a page, where onnxruntime-web is one of them. */
const IN_A_PAGE = [
  "tests/tensor/ops.test.ts",
  "tests/runtime/backends.test.ts",
  "tests/runtime/settings.test.ts",
  "tests/files/chosen-files.test.ts",
];

const inNode: TestProjectInlineConfiguration = {
  extends: true,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: "node",
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "scripts/**/*.test.ts"],
    environment: "node",
    // A process per file: a crash of the native library fails one file, and no file finds its
    // threads taken by another's sessions. Each process uses all cores, so more do not help.
    pool: "forks",
  },
};

const inAPage = (executablePath: string): TestProjectInlineConfiguration => ({
  extends: true,
  optimizeDeps: { include: ["onnxruntime-web/wasm", "@huggingface/hub"] },
  resolve: { conditions: ["tsvene-source", "browser", "import", "module", "default"] },
  test: {
    name: "page",
    include: IN_A_PAGE,
    browser: {
      enabled: true,
      headless: true,
      // Where all cores are busy, Vite takes long to serve so many modules.
      connectTimeout: 240_000,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: [...CHROMIUM_FLAGS] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});

if (CHROMIUM === undefined) {
  console.warn(
    `skipped, for there is no Chromium: tests/browser/, and in a page ${IN_A_PAGE.join(", ")}`,
  );
}

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [inNode, ...(CHROMIUM === undefined ? [] : [inAPage(CHROMIUM)])],
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/vitest-summary.ts"],
  },
});

export default config;
