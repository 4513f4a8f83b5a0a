import type { EditPicture, Picture, View } from "../picture.ts";
import { contrast } from "../steering.ts";
import type { Answers } from "./answers.ts";

type Program = (picture: Picture, answers: Answers) => readonly string[];

/** Texts as Python has them: JSON's are Python's. */
const json = (value: unknown): string => JSON.stringify(value).replaceAll("null", "None");
const text = (value: string): string => JSON.stringify(value);

const PROGRAMS: { readonly [K in View]: Program } = {
  map: (picture, answers) => [
    ...runLines(picture, answers),
    `values = []`,
    `for layer in range(layers):`,
    `    patched = intervenable([{"layer": layer, "component": ${text(picture.component)}}])`,
    `    for position in range(corrupt["input_ids"].shape[1]):`,
    `        _, out = patched(corrupt, [clean], {"sources->base": position})`,
    `        values.append(metric(out.logits) - unedited)`,
    `print(json.dumps(values))`,
    ...patchLines(picture),
  ],
  heads: (picture, answers) => [
    ...runLines(picture, answers, "clean"),
    `heads = model.config.num_attention_heads`,
    `values = []`,
    `for layer in range(layers):`,
    `    place = {"layer": layer, "component": "head_attention_value_output", "unit": "h"}`,
    `    patched = intervenable([place])`,
    `    for head in range(heads):`,
    `        _, out = patched(clean, [corrupt], {"sources->base": head})`,
    `        values.append(metric(out.logits) - unedited)`,
    `print(json.dumps(values))`,
  ],
  lens: ({ clean, corrupt }) => [
    `# The final norm and the matrix of logits, as GPT-2 calls them.`,
    `norm, head = model.transformer.ln_f, model.lm_head`,
    `for text in [${text(clean)}, ${text(corrupt)}]:`,
    `    read = tokenizer(text, return_tensors="pt")`,
    `    positions = [list(range(read["input_ids"].shape[1]))]`,
    `    said = []`,
    `    for layer in range(layers + 1):`,
    `        component = "block_input" if layer < layers else "block_output"`,
    `        place = {"layer": min(layer, layers - 1), "component": component}`,
    `        (_, states), _ = intervenable([place], pv.CollectIntervention)(`,
    `            read, unit_locations={"base": [positions]}`,
    `        )`,
    `        ids = head(norm(states[0].reshape(-1, model.config.hidden_size))).argmax(-1)`,
    `        said += [tokenizer.decode([i]) for i in ids.tolist()]`,
    `    print(json.dumps(said, ensure_ascii=False))`,
  ],
  steer: ({ steering }) => [
    `place = {"layer": ${steering.layer}, "component": "block_output"}`,
    `reading = intervenable([place], pv.CollectIntervention)`,
    ``,
    `def mean_state(texts):`,
    `    states = []`,
    `    for text in texts:`,
    `        read = tokenizer(text, return_tensors="pt")`,
    `        last = read["input_ids"].shape[1] - 1`,
    `        (_, state), _ = reading(read, unit_locations={"base": last})`,
    `        states.append(state[0].reshape(-1))`,
    `    return torch.stack(states).mean(0)`,
    ``,
    `positive = ${json(contrast(steering).positive)}`,
    `negative = ${json(contrast(steering).negative)}`,
    `direction = ${steering.strength} * (mean_state(positive) - mean_state(negative))`,
    `steered = pv.IntervenableModel(`,
    `    [{**place, "intervention": pv.AdditionIntervention(source_representation=direction)}],`,
    `    model,`,
    `)`,
    `original, intervened = steered.generate(`,
    `    tokenizer(${text(steering.prompt)}, return_tensors="pt"),`,
    `    intervene_on_prompt=True,`,
    `    output_original_output=True,`,
    `    max_new_tokens=${steering.tokens},`,
    `    do_sample=False,`,
    `)`,
    `for ids in [original, intervened]:`,
    `    print(json.dumps(tokenizer.decode(ids[0]), ensure_ascii=False))`,
  ],
  edit: ({ edits, clean, corrupt }) => [
    `read = tokenizer(${text(corrupt)}, return_tensors="pt")`,
    `source = tokenizer(${text(clean)}, return_tensors="pt")`,
    `positions = list(range(read["input_ids"].shape[1]))`,
    `edited = pv.IntervenableModel(`,
    `    [`,
    ...edits.map(editLine),
    `    ],`,
    `    model,`,
    `)`,
    `locations = [${edits.map(({ position }) => (position < 0 ? "positions" : `[${position}]`)).join(", ")}]`,
    `original, intervened = edited(`,
    `    read,`,
    `    [source] * len(locations),`,
    `    {"sources->base": ([[one] for one in locations], [[one] for one in locations])},`,
    `    output_original_output=True,`,
    `)`,
    ...topLines,
  ],
};

function editLine({ layer, component, intervention }: EditPicture): string {
  return `        {"layer": ${layer}, "component": ${text(component)}, "intervention_type": pv.${intervention.replaceAll(/\W/g, "")}},`;
}

const topLines = [
  `for out in [original, intervened]:`,
  `    top = out.logits[0, -1].softmax(-1).topk(5)`,
  `    said = [[tokenizer.decode([i]), p] for p, i in zip(top.values.tolist(), top.indices.tolist())]`,
  `    print(json.dumps(said, ensure_ascii=False))`,
];

function runLines(
  { clean, corrupt, metric }: Picture,
  { right, wrong }: Answers,
  base = "corrupt",
): string[] {
  const ofLogits =
    metric === "probability"
      ? `    return logits[0, -1].softmax(-1)[right].item()`
      : `    return (logits[0, -1][right] - logits[0, -1][wrong]).item()`;
  return [
    `clean = tokenizer(${text(clean)}, return_tensors="pt")`,
    `corrupt = tokenizer(${text(corrupt)}, return_tensors="pt")`,
    `right = tokenizer.encode(${text(right)})[-1]`,
    ...(metric === "probability" ? [] : [`wrong = tokenizer.encode(${text(wrong)})[-1]`]),
    ``,
    `def metric(logits):`,
    ofLogits,
    ``,
    `unedited = metric(model(**${base}).logits)`,
  ];
}

function patchLines({ chosen, component }: Picture): string[] {
  if (chosen.length === 0) return [];
  const layers = chosen.map(({ layer }) => `{"layer": ${layer}, "component": ${text(component)}}`);
  return [
    ``,
    `patched = intervenable([${layers.join(", ")}])`,
    `places = ${json(chosen.map(({ place }) => [[place]]))}`,
    `original, intervened = patched(`,
    `    corrupt, [clean] * len(places), {"sources->base": (places, places)}, output_original_output=True`,
    `)`,
    ...topLines,
  ];
}

/** The same as the page shows, as a program for Python with pyvene. */
export function pythonOf(picture: Picture, answers: Answers): string {
  const { from, name } = picture.model;
  return [
    `import json`,
    ``,
    `import pyvene as pv`,
    `import torch`,
    `from transformers import AutoModelForCausalLM, AutoTokenizer`,
    ``,
    ...(from === "page" ? [`# The directory models/${name} of the npm package.`] : []),
    `name = ${text(name)}`,
    `tokenizer = AutoTokenizer.from_pretrained(name)`,
    `model = AutoModelForCausalLM.from_pretrained(name, attn_implementation="eager").eval()`,
    `layers = model.config.num_hidden_layers`,
    `torch.set_grad_enabled(False)`,
    ``,
    `def intervenable(places, kind=pv.VanillaIntervention):`,
    `    return pv.IntervenableModel([{**place, "intervention_type": kind} for place in places], model)`,
    ``,
    ...PROGRAMS[picture.view](picture, answers),
    ``,
  ].join("\n");
}
