import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";

const FOLDER = fileURLToPath(new URL("../.cache/test-summary/", import.meta.url));

/** What the run is called, where tests run more than once, as on several versions of Node. */
const RUN = process.env["TSVENE_TEST_RUN"] ?? "all";

/**
 * Writes `N passed, N failed[, N skipped]` to a file in `.cache/test-summary` when a run ends.
 *
 * A file or suite that breaks outside of its tests, and an error that no test caught, count as
 * failed: a run that is not green never says `0 failed`.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++;
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) count.failed++;
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "pending") count.failed++;
        else count[state]++;
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(
      path.join(FOLDER, `${RUN}.txt`),
      `${count.passed} passed, ${count.failed} failed${skipped}\n`,
    );
  }
}
