import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Resolves `tsvene` and `#ort` to the sources, so that tests need no build. */
const conditions = ["tsvene-source", "node", "import", "module", "default"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "scripts/**/*.test.ts"],
    environment: "node",
    // A process per file: a crash of the native library fails one file, and no file finds its
    // threads taken by another's sessions. Each process uses all cores, so more do not help.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/vitest-summary.ts"],
  },
});

export default config;
