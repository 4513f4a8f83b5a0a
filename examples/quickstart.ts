/**
 * A first look at tsvene: change what goes on inside a small language model, see where it keeps what it
 * knows, and make it say something else. Run it with `npm start` in the repository, or where tsvene is
 * installed with `npx tsx node_modules/tsvene/examples/quickstart.ts`.
 */
import { writeFile } from "node:fs/promises";
import {
  attentionPage,
  attentionPatterns,
  AutoTokenizer,
  contrastPairs,
  GPT2LMHeadModel,
  IntervenableModel,
  logitLens,
  saveSvg,
  steeringVector,
  sweep,
  type Tensor,
  terminalTokens,
  terminalTopTokens,
  topTokens,
  ZeroIntervention,
} from "tsvene";

const heading = (text: string): void => console.log(`\n${text}\n${"=".repeat(text.length)}\n`);

// tsvene-mini is a GPT-2 of a million parameters that knows some geography and tells short stories.
const gpt2 = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");

heading("1. Take a part away: what if the first MLP were silent?");

// Where to intervene, and with what. The model itself is not changed.
const zeroed = new IntervenableModel(
  { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
  gpt2,
);
const prompt = "The capital of Spain is";
// Tensors are lazy: `forward` says what to compute, and asking for numbers computes it.
const { original, intervened } = zeroed.forward(tokenizer.tokenize(prompt));
const logits = { "as it is": original.logits, "without the MLP of layer 0": intervened.logits };
console.log(terminalTopTokens(await topTokens(logits, tokenizer), { title: `${prompt} ...` }));

heading("2. Put a part of another run in its place: where is the country?");

// What enters each layer at each position, in turn, becomes what enters there for Italy.
const capitals = contrastPairs(tokenizer, [
  { clean: "The capital of Italy is", corrupt: prompt, right: " Rome", wrong: " Madrid" },
]);
const country = await sweep(gpt2, capitals, {
  sites: { component: "block_input", layer: "all", position: "all" },
  metric: "probability",
});
console.log(String(country));
await saveSvg("out/country.svg", country.plot({ title: 'Where "Italy" makes it say "Rome"' }));
console.log("All these runs are rows of one, which computes what they share once: out/country.svg");

heading("3. Look inside: what would each layer say?");

// Each state is read as if it were the last one.
const lens = await logitLens(gpt2, "The capital of Italy is", { tokenizer, target: " Rome" });
console.log(String(lens));
await saveSvg("out/lens.svg", lens.plot());
console.log("Coloured by probability: out/lens.svg");

heading("4. Which heads is the answer made by?");

// The same sweep over heads: what the other sentence's states spoil, is needed.
const text = "When Mary and John went to the store, John gave a drink to";
const names = contrastPairs(tokenizer, [
  { clean: text, corrupt: text.replace(", John", ", Mary"), right: " Mary", wrong: " John" },
]);
const heads = await sweep(gpt2, names, {
  sites: { component: "head_attention_value_output", layer: "all", head: "all" },
  direction: "noise",
});
console.log(String(heads));
await saveSvg("out/heads.svg", heads.plot());
const patterns = await attentionPatterns(gpt2, text, { tokenizer });
const tokens = patterns.axis("key").labels ?? [];
const looks = patterns.at({ layer: 2, head: 0, query: tokens.length - 1 });
console.log("\nHead 0 of layer 2 finds out who came twice. At the end it looks at:");
console.log(terminalTokens(tokens, [...looks.values]));
await writeFile("out/attention.html", attentionPage(patterns));
console.log("All heads, as a page to point at: out/attention.html");

heading("5. Add something: the same story in another mood");

// The way from sad to happy, in what leaves layer 1.
const moods = await steeringVector(gpt2, {
  tokenizer,
  positive: ["She was happy", "It was the best day", "She smiled", "He jumped for joy"],
  negative: ["She was sad", "It was the worst day", "She cried", "He was full of sorrow"],
  sites: { component: "block_output", layer: 1 },
});
const story = tokenizer.tokenize("One morning, a little girl named Rose was on the farm.");
const tell = (name: string, sequences: Tensor): void => {
  const [told = ""] = tokenizer.batchDecode(sequences, { skipSpecialTokens: true });
  console.log(`${name}\n${told.replaceAll(/(.{1,76})(?:\s+|$)/g, "  $1\n")}`);
};
const steered = moods.intervention();
for (const strength of [0, 1]) {
  const { intervened } = await steered.generate(story, { maxNewTokens: 60, strength });
  tell(strength === 0 ? "as it is" : "plus the way from sad to happy", intervened.sequences);
}

// Any function is an intervention. The source of this one is a run on a single word.
const nudged = new IntervenableModel(
  [...gpt2.transformer.h].map((_, layer) => ({
    layer,
    component: "mlp_output" as const,
    intervention: (state: Tensor, word?: Tensor) => word && state.add(word.mul(0.4)),
  })),
  gpt2,
);
const word = { sources: tokenizer.tokenize(" smiled"), unitLocations: { "sources->base": 0 } };
const example = await nudged.generate(story, { ...word, maxNewTokens: 60 });
tell('plus 0.4 of the states of the word " smiled"', example.intervened.sequences);

heading("What to try next");
console.log(`  In this file, part 2: "attention_output", then "mlp_output", for "block_input".
  In part 5: strength -1, or another layer.
  In the repository: npm run eval:mini says what tsvene-mini knows, docs/guide/ how each part works.
`);
