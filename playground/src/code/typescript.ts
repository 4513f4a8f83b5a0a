import { editedTexts } from "../edits.ts";
import type { ModelChoice, Picture, View } from "../picture.ts";
import { contrast } from "../steering.ts";
import type { Answers } from "./answers.ts";

type Program = (picture: Picture, answers: Answers) => Lines;

/** What a program imports, and what it does. */
interface Lines {
  readonly imports: readonly string[];
  readonly lines: readonly string[];
}

const json = (value: unknown): string => JSON.stringify(value);

const PROGRAMS: { readonly [K in View]: Program } = {
  map: (picture, answers) => ({
    imports: ["contrastPairs", "IntervenableModel", "sweep", "topTokens"],
    lines: [
      ...pairLines(picture, answers),
      `const effects = await sweep(model, pairs, {`,
      `  sites: { component: ${json(picture.component)}, layer: "all", position: "all" },`,
      `  metric: ${json(picture.metric)},`,
      `});`,
      `console.log(JSON.stringify([...effects.change().values]));`,
      ...patchLines(picture),
    ],
  }),
  heads: (picture, answers) => ({
    imports: ["contrastPairs", "sweep"],
    lines: [
      ...pairLines(picture, answers),
      `const effects = await sweep(model, pairs, {`,
      `  sites: { component: "head_attention_value_output", layer: "all", head: "all" },`,
      `  direction: "noise",`,
      `  metric: ${json(picture.metric)},`,
      `});`,
      `console.log(JSON.stringify([...effects.change().values]));`,
    ],
  }),
  lens: ({ clean, corrupt }) => ({
    imports: ["logitLens"],
    lines: [
      `for (const text of ${json([clean, corrupt])}) {`,
      `  const reading = await logitLens(model, text, { tokenizer, k: 1 });`,
      `  const said = [...reading.ids.values].map((id) => tokenizer.decode([id]));`,
      `  console.log(JSON.stringify(said));`,
      `}`,
    ],
  }),
  steer: ({ steering }) => ({
    imports: ["steeringVector"],
    lines: [
      `const direction = await steeringVector(model, {`,
      `  tokenizer,`,
      `  positive: ${json(contrast(steering).positive)},`,
      `  negative: ${json(contrast(steering).negative)},`,
      `  sites: { component: "block_output", layer: ${steering.layer} },`,
      `});`,
      `const steered = direction.intervention({ strength: ${steering.strength} });`,
      `const prompt = tokenizer.tokenize(${json(steering.prompt)});`,
      `const how = { maxNewTokens: ${steering.tokens}, doSample: false };`,
      `const [original, intervened] = await steered.generate(prompt, { ...how, steps: "all" });`,
      `for (const { sequences } of [await original, intervened]) {`,
      `  console.log(JSON.stringify(tokenizer.batchDecode(sequences)[0]));`,
      `}`,
    ],
  }),
  edit: (picture) => {
    const { config, sources, unitLocations } = editedTexts(picture);
    const list = (sources ?? null) as readonly (string | null)[] | null;
    const read = (text: string | null): string =>
      text === null ? "null" : `tokenizer.tokenize(${json(text)})`;
    return {
      imports: ["IntervenableModel", "topTokens"],
      lines: [
        `const edited = new IntervenableModel(${json(config)}, model);`,
        `const { original, intervened } = edited.forward(tokenizer.tokenize(${json(picture.corrupt)}), {`,
        ...(list === null ? [] : [`  sources: [${list.map(read).join(", ")}],`]),
        `  unitLocations: ${json(unitLocations)},`,
        `});`,
        ...topLines,
      ],
    };
  },
};

const topLines = [
  `const logits = { original: original.logits, intervened: intervened.logits };`,
  `const top = await topTokens(logits, tokenizer, { count: 5 });`,
  `for (const tokens of [top.original, top.intervened]) {`,
  `  console.log(JSON.stringify(tokens.map(({ token, probability }) => [token, probability])));`,
  `}`,
];

function pairLines({ clean, corrupt }: Picture, { right, wrong }: Answers): string[] {
  return [
    `const pairs = contrastPairs(tokenizer, [`,
    `  {`,
    `    clean: ${json(clean)},`,
    `    corrupt: ${json(corrupt)},`,
    `    right: ${json(right)},`,
    ...(wrong === "" || wrong === right ? [] : [`    wrong: ${json(wrong)},`]),
    `  },`,
    `]);`,
  ];
}

function patchLines({ chosen, component, clean, corrupt }: Picture): string[] {
  if (chosen.length === 0) return [];
  return [
    ``,
    `const patched = new IntervenableModel(`,
    `  [`,
    ...chosen.map(({ layer }) => `    { layer: ${layer}, component: ${json(component)} },`),
    `  ],`,
    `  model,`,
    `);`,
    `const { original, intervened } = patched.forward(tokenizer.tokenize(${json(corrupt)}), {`,
    `  sources: tokenizer.tokenize(${json(clean)}),`,
    `  unitLocations: { "sources->base": { each: ${json(chosen.map(({ place }) => place))} } },`,
    `});`,
    ...topLines,
  ];
}

/** The same as the page shows, as a program for Node. */
export function typescriptOf(picture: Picture, answers: Answers): string {
  const { imports, lines } = PROGRAMS[picture.view](picture, answers);
  const used = imports.filter((name) =>
    lines.some((line) => new RegExp(`\\b${name}\\b`).test(line)),
  );
  return [
    `import { ${["AutoModelForCausalLM", "AutoTokenizer", ...used].join(", ")} } from "tsvene";`,
    ``,
    `const name = ${json(nameOf(picture.model))};`,
    `const model = await AutoModelForCausalLM.fromPretrained(name);`,
    `const tokenizer = await AutoTokenizer.fromPretrained(name);`,
    ``,
    ...lines,
    ``,
  ].join("\n");
}

function nameOf({ name }: ModelChoice): string {
  return name;
}
