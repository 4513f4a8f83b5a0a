/**
 * Gives the readers of files changed copies, and says where one ends otherwise than with an answer
 * or the library's own error, or takes long:
 *
 *     npm run fuzz -- --cases 1000000 --seed 7 [--only torch]
 */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz/fuzz.ts";
import { targets } from "./fuzz/targets.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});

for (const [name, target] of Object.entries(targets())) {
  if (values.only !== undefined && values.only !== name) continue;
  const share = values.only === undefined ? target.share / 100 : 1;
  const cases = Math.ceil(Number(values.cases) * share);
  const begin = performance.now();
  const { findings, read, refused } = await fuzz(name, target, {
    cases,
    seed: Number(values.seed),
  });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const most = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(
    `${name}: ${cases} cases in ${seconds} s: ${read} read, ${refused} refused, ` +
      `${findings.length} findings; at most ${most} MB so far`,
  );
  const kinds = new Map(findings.map((finding) => [finding.what, finding]));
  for (const { seed, what } of [...kinds.values()].slice(0, 20)) {
    console.log(`  seed ${seed}: ${what}`);
  }
  if (findings.length > 0) process.exitCode = 1;
}
