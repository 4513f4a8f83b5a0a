import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSafetensors, saveSafetensors, type Tensor } from "tsvene";
import { describe, expect, test } from "vitest";
import { replayInterventionCase } from "../../scripts/parity/intervention-case.ts";
import { replayModelCase } from "../../scripts/parity/model-case.ts";
import { golden, temporaryDirectory } from "./checkpoints.ts";

const RECORDED = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Recorded tensors that a model is given. */
const INPUT =
  /\.(?:(?:decoder_)?input_ids|(?:cross_)?attention_mask|aspect_ratio_(?:ids|mask)|position_ids|token_type_ids|inputs_embeds|pixel_values|input_features|labels)$/;

describe.each(RECORDED)("recorded model %s", (name) => {
  test("every recorded tensor is met", async () => {
    const results = await replayModelCase(golden(name));
    expect(results.filter(({ failed }) => failed)).toEqual([]);
    const compared = new Map(
      results.map((result) => [result.name.slice(name.length + 1), result.compared]),
    );
    const outputs = new Map<string, number>();
    for (const file of readdirSync(golden(name)).filter((f) => /^(?:expected|grads)\./.test(f))) {
      for (const key of (await loadSafetensors(join(golden(name), file))).keys()) {
        const which = file.startsWith("grads") ? "grads" : key.slice(0, key.indexOf("."));
        outputs.set(which, (outputs.get(which) ?? 0) + (INPUT.test(key) ? 0 : 1));
      }
    }
    expect(Object.fromEntries(compared)).toEqual(Object.fromEntries(outputs));
  });
});

/** A copy of the recorded GPT-2 in which one tensor of a file is changed. */
async function tampered(
  file: string,
  change: (tensors: Map<string, Tensor>) => void,
): Promise<string> {
  const directory = join(await temporaryDirectory(), "gpt2");
  await cp(golden("gpt2"), directory, { recursive: true });
  const tensors = await loadSafetensors(join(directory, file));
  change(tensors);
  await saveSafetensors(join(directory, file), tensors);
  return directory;
}

async function failures(directory: string): Promise<[name: string, tensor: string][]> {
  const results = await replayModelCase(directory);
  return results.filter(({ failed }) => failed).map(({ name, tensor }) => [name, tensor]);
}

function nudge(tensors: Map<string, Tensor>, name: string, by: number): void {
  const t = tensors.get(name);
  if (t === undefined) throw new Error(`${name} is not recorded`);
  tensors.set(name, t.add(by).to(t.dtype));
}

describe("a difference is found", () => {
  test.each([
    ["plain.act.2.key_output", "plain", "act.2.key_output"],
    ["plain.attentions.1", "plain", "attentions.1"],
    ["padded.hidden_states.4", "padded", "hidden_states.4"],
    ["cached_chunk.logits", "cached_chunk", "logits"],
    ["greedy.logits", "greedy", "logits"],
  ])("in %s", async (name, failing, tensor) => {
    const directory = await tampered("expected.safetensors", (all) => nudge(all, name, 1e-4));
    expect(await failures(directory)).toEqual([[`gpt2/${failing}`, tensor]]);
  });

  test("in a sequence", async () => {
    const directory = await tampered("expected.safetensors", (all) =>
      nudge(all, "greedy_padded.sequences", 1),
    );
    expect(await failures(directory)).toEqual([["gpt2/greedy_padded", "sequences"]]);
  });

  test("in a gradient", async () => {
    const name = "grad.transformer.h.1.attn.c_attn.weight";
    const directory = await tampered("grads.safetensors", (all) => nudge(all, name, 1e-3));
    expect(await failures(directory)).toEqual([["gpt2/grads", name]]);
  });

  test("in a tensor that no output stands for", async () => {
    const directory = await tampered("expected.safetensors", (all) => {
      all.set("plain.act.0.mystery", all.get("plain.logits") as Tensor);
    });
    const results = await replayModelCase(directory);
    expect(results.filter(({ failed }) => failed)).toMatchObject([
      { name: "gpt2/plain", reason: "act.0.mystery is not a component of the model's card" },
    ]);
  });
});

describe("what is not understood is a failed case", () => {
  test("an output that the case lists and nobody recorded", async () => {
    const directory = await tampered("expected.safetensors", (all) => {
      all.delete("plain.hidden_states.2");
    });
    const results = await replayModelCase(directory);
    expect(results.filter(({ failed }) => failed)).toMatchObject([
      { name: "gpt2/plain", reason: "not recorded: hidden_states.2" },
    ]);
  });

  test("a field of a case", async () => {
    const directory = await tampered("expected.safetensors", () => undefined);
    const path = join(directory, "case.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"greedy": {', '"greedy": { "temperature": 2,'));
    const results = await replayModelCase(directory);
    expect(results.filter(({ failed }) => failed)).toMatchObject([
      { name: "gpt2/greedy", reason: "not understood: case greedy has temperature" },
    ]);
  });

  test.each([
    ['"use_fast"', '"use_slow": true, "use_fast"', "the case has use_slow"],
    ['"mode"', '"sorted": true, "mode"', "config has sorted"],
    ['"call": "forward"', '"call": "backward"', "calls of kind backward are not known"],
    ['"call"', '"grad_of": "sum(logits)", "call"', "gradients of sum(logits)"],
    ['"layer"', '"layr": 1, "layer"', "has no field layr; did you mean layer"],
  ])("of interventions: %s as %s", async (field, changed, reason) => {
    const directory = join(await temporaryDirectory(), "interventions", "vanilla_single");
    const recorded = join(golden(""), "..", "interventions", "vanilla_single");
    await cp(recorded, directory, { recursive: true });
    await cp(golden("gpt2"), join(directory, "..", "..", "models", "gpt2"), { recursive: true });
    const path = join(directory, "case.json");
    const text = await readFile(path, "utf8");
    expect(await replayInterventionCase(directory)).toMatchObject({ failed: false });
    await writeFile(path, text.replace(field, changed));
    const result = await replayInterventionCase(directory);
    expect(result.failed).toBe(true);
    expect(result.reason).toContain(reason);
  });
});

describe("npm run parity", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const parity = (...directories: string[]): { status: number | null; lines: string[] } => {
    const script = ["--conditions=tsvene-source", "--import", "tsx", "scripts/parity.ts", "--"];
    const { status, stdout } = spawnSync(process.execPath, [...script, ...directories], {
      cwd: root,
      encoding: "utf8",
    });
    return { status, lines: stdout.trim().split("\n") };
  };

  test("walks directories and sums up", () => {
    const { status, lines } = parity(golden("gpt2_classifier"), golden("gpt2"));
    expect(lines.at(-1)).toMatch(/^parity: 11 cases, 0 failed, worst \d\.\de-\d+ in gpt2[\w/.]+$/);
    expect(lines[0]).toMatch(
      /^ok {7}gpt2_classifier\/plain: \d\.\de-\d+ of 2\.0e-5 in [\w.]+ \(38/,
    );
    expect(status).toBe(0);
  });

  test("fails for what it does not understand", async () => {
    const parent = await temporaryDirectory();
    const directory = join(parent, "stranger");
    await cp(golden("gpt2"), directory, { recursive: true });
    const path = join(directory, "config.json");
    const config = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...config, model_type: "stranger" }));
    const { status, lines } = parity(parent, join(parent, "nothing"));
    expect(lines[0]).toMatch(/^FAILED {3}stranger: .*"stranger", which is not a known family/);
    expect(lines[1]).toMatch(/^FAILED {3}.*nothing: ENOENT/);
    expect(lines.at(-1)).toBe("parity: 2 cases, 2 failed, worst - in -");
    expect(status).toBe(1);
  });
});
