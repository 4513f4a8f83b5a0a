/**
 * Measures what tsvene-mini knows, on prompts as trained and on combinations held out from
 * training: `npm run eval:mini`. The numbers stand in its model card.
 */
import { AutoTokenizer, GPT2LMHeadModel } from "tsvene";
import {
  type Accuracy,
  evaluateFacts,
  evaluateIndirectObjects,
  evaluateMoods,
} from "./accuracy.ts";
import type { Split } from "./splits.ts";
import { loadTokenizer, MODEL_DIRECTORY } from "./tokenizer-files.ts";

const model = await GPT2LMHeadModel.fromPretrained(MODEL_DIRECTORY);
const tokenizer = loadTokenizer();
const batches = await AutoTokenizer.fromPretrained(MODEL_DIRECTORY, { paddingSide: "left" });

const kinds: readonly (readonly [string, (split: Split) => Promise<Accuracy>])[] = [
  ["facts: next token is the answer", (split) => evaluateFacts(model, tokenizer, split)],
  [
    "indirect objects: next token is the name",
    (split) => evaluateIndirectObjects(model, tokenizer, split),
  ],
  ["stories: go on in the mood they began in", (split) => evaluateMoods(model, batches, split)],
];

const cell = ({ percent, right, total }: Accuracy): string => `${percent} (${right} of ${total})`;
console.log(`${"".padEnd(42)}${"as trained".padEnd(24)}held out`);
for (const [kind, measure] of kinds) {
  const [trained, heldOut] = [await measure("trained"), await measure("heldOut")];
  console.log(`${kind.padEnd(42)}${cell(trained).padEnd(24)}${cell(heldOut)}`);
}
