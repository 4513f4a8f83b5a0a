/**
 * A first look at tsvene: change what goes on inside a small language model, and see what it then
 * says. Run it with `npm start` in the repository, or where tsvene is installed with
 * `npx tsx node_modules/tsvene/examples/quickstart.ts`.
 */
import {
  AdditionIntervention,
  AutoTokenizer,
  cat,
  CollectIntervention,
  GPT2LMHeadModel,
  heatMap,
  IntervenableModel,
  stack,
  type RepresentationConfig,
  saveSvg,
  type Tensor,
  terminalTable,
  terminalTopTokens,
  topTokens,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";

const heading = (text: string): void => console.log(`\n${text}\n${"=".repeat(text.length)}\n`);

// tsvene-mini is a GPT-2 of a million parameters that knows some geography and tells short stories.
const gpt2 = await GPT2LMHeadModel.fromPretrained("tsvene-mini");
const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
const layers = [...gpt2.transformer.h].map((_, layer) => layer);

heading("1. Take a part away: what if the first MLP were silent?");

// Where to intervene, and with what. The model itself is not changed.
const zeroed = new IntervenableModel(
  { layer: 0, component: "mlp_output", intervention: ZeroIntervention },
  gpt2,
);
const prompt = "The capital of Spain is";
const base = tokenizer.tokenize(prompt);
// Tensors are lazy: `forward` says what to compute, and asking for numbers computes it.
const { original, intervened } = zeroed.forward(base);
const logits = { "as it is": original.logits, "without the MLP of layer 0": intervened.logits };
console.log(terminalTopTokens(await topTokens(logits, tokenizer), { title: `${prompt} ...` }));

heading("2. Put a part of another run in its place: where is the country?");

// What enters each layer at each position, in turn, becomes what enters there for Italy.
const source = tokenizer.tokenize("The capital of Italy is");
const words = tokenizer.encode(prompt).map((id) => tokenizer.decode([id]));
const [rome = 0] = tokenizer.encode(" Rome");
const runs = layers.map((layer) => {
  const interchange = new IntervenableModel(
    { layer, component: "block_input", intervention: VanillaIntervention },
    gpt2,
  );
  const probabilities = words.map((_, position) => {
    const unitLocations = { "sources->base": position };
    const { intervened } = interchange.forward(base, { sources: source, unitLocations });
    return intervened.logits.select(1, -1).softmax(-1).select(1, rome);
  });
  return cat(probabilities);
});
// All these runs are one program, which computes what they share once.
const table = await stack(runs).toArray(2);
const title = `Probability of " Rome" after "${prompt}"`;
const labels = { rows: layers.map((layer) => `layer ${layer}`), columns: words, title };
console.log(terminalTable(table, { ...labels, domain: [0, 1] }));
const seats = table.map((row) => JSON.stringify(words[row.indexOf(Math.max(...row))]));
console.log(`\nThe country enters the first layer at ${seats[0]}, the last at ${seats.at(-1)}.`);
const subtitle = 'when one state is replaced by that of "The capital of Italy is"';
const more = { subtitle, rowTitle: "state that enters", columnTitle: "position" };
await saveSvg("out/country.svg", heatMap(table, { ...labels, ...more, domain: [0, 1] }));
console.log(`${table.flat().length} runs as one program, drawn in out/country.svg`);

heading("3. Look inside: which head looks at the country?");

const parts = ["block_output", "mlp_activation", "attention_weight"] as const;
const inspected = new IntervenableModel(
  parts.map((component) => ({ layer: 0, component, intervention: CollectIntervention })),
  gpt2,
);
const { collected: states } = inspected.forward(base);
for (const [i, { shape }] of states.entries()) console.log(parts[i]?.padEnd(18), shape);
// Attention weights are [batch, head, query, key]; the last query is where the answer is made.
const attention = states.at(-1)?.select(0, 0).select(1, -1);
const heads = (await attention?.toArray(2)) ?? [];
const rows = heads.map((_, head) => `head ${head}`);
const attends = { rows, columns: words, title: `\nAttention from "${words.at(-1)}" in layer 0` };
console.log(terminalTable(heads, { ...attends, domain: [0, 1] }));

heading("4. Add something: the same story in another mood");

const atEveryMlp = (intervention: RepresentationConfig["intervention"] & {}) =>
  new IntervenableModel(
    layers.map((layer) => ({ layer, component: "mlp_output" as const, intervention })),
    gpt2,
  );
const story = tokenizer.tokenize("One morning, a little girl named Rose was on the farm.");
const tell = (name: string, sequences: Tensor): void => {
  const [text = ""] = tokenizer.batchDecode(sequences, { skipSpecialTokens: true });
  console.log(`${name}\n${text.replaceAll(/(.{1,76})(?:\s+|$)/g, "  $1\n")}`);
};
tell("as it is", (await gpt2.generate(story, { maxNewTokens: 60 })).sequences);

// The way from sad to happy: what each MLP writes, on average, about two texts.
const moods = tokenizer.tokenize([
  "What a happy day! She smiled and laughed with joy.",
  "What a sad day! She sighed and cried with sorrow.",
]);
const { collected } = atEveryMlp(CollectIntervention).forward(moods);
const means = collected.map((states) => states.mean({ dim: 1 }));
const sourceRepresentations = means.map((mean) => mean.select(0, 0).sub(mean.select(0, 1)));
const steered = atEveryMlp(AdditionIntervention);
const happier = await steered.generate(story, { sourceRepresentations, maxNewTokens: 60 });
tell("plus the way from sad to happy", happier.intervened.sequences);

// Any function is an intervention. The source of this one is a run on a single word.
const nudged = atEveryMlp((state: Tensor, word?: Tensor) => word && state.add(word.mul(0.4)));
const word = { sources: tokenizer.tokenize(" smiled"), unitLocations: { "sources->base": 0 } };
const example = await nudged.generate(story, { ...word, maxNewTokens: 60 });
tell('plus 0.4 of the states of the word " smiled"', example.intervened.sequences);

heading("What to try next");
console.log(`  In this file, part 2: "attention_output", then "mlp_output", for "block_input".
  In part 4: the directions with the opposite sign, at all layers or at one.
  In the repository: npm run eval:mini says what tsvene-mini knows, docs/guide/ how each part works.
`);
