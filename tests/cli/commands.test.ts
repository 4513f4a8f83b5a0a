import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  AdditionIntervention,
  AutoModelForCausalLM,
  IntervenableModel,
  tensor,
  VanillaIntervention,
} from "tsvene";
import { HubServer } from "../files/hub/hub-server.ts";
import { ROOT, runCommand } from "../repository/repository.ts";
import { end, useBuiltCli } from "./cli-process.ts";

const { folder, run, start } = useBuiltCli();
const SLOW = 90_000;

const at = (name: string): string => path.join(folder(), name);

/** What a command writes with `--json`. */
async function json(args: readonly string[], code = 0): Promise<unknown> {
  const { stdout, stderr, code: found } = await run([...args, "--json"]);
  expect(found, stderr).toBe(code);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const TEXTS = ["--base", "The capital of Spain is", "--source", "The capital of Italy is"];

describe("every command", { timeout: SLOW }, () => {
  test("has help with examples that fits into 80 columns, and loads nothing for it", async () => {
    const help = await run(["--help"]);
    const commands = [...help.stdout.matchAll(/^ {2}(\w+) .*[A-Z]/gm)].map(([, name = ""]) => name);
    expect(commands).toContain("inspect");
    const helps = await Promise.all(
      commands.filter((name) => name !== "help").map((name) => run([name, "--help"])),
    );
    for (const { code, stdout } of [help, ...helps]) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/\nExamples:\n/);
      expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    }
  });

  test("says its version", async () => {
    const { stdout } = await run(["--version"]);
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test.each([
    [["inspekt"], 2, /unknown command 'inspekt'\n\(Did you mean inspect\?\)/],
    [["inspect"], 2, /missing required argument 'place'/],
    [["run", "--prompt", "a", "-n", "0"], 2, /whole number of 1 or more/],
    [["run", "--promt", "a"], 2, /unknown option '--promt'\n\(Did you mean --prompt\?\)/],
    [["inspect", "./nowhere"], 1, /there is no directory ".\/nowhere"/],
    [["run", "--prompt", ""], 1, /prompt is empty/],
    [["patch", ...TEXTS, "--answer", "Rome"], 1, /a space before them: " Rome"/],
    [["patch", ...TEXTS, "--answer", " Rome", "--out", "a.jpg"], 2, /ends with .svg or .png/],
  ])("%o ends with %i and says why", async (args, code, message) => {
    const [text, asJson] = await Promise.all([run(args), run([...args, "--json"])]);
    expect([text.code, text.stdout, asJson.code]).toEqual([code, "", code]);
    expect(text.stderr).toMatch(/^error: /);
    expect(text.stderr).toMatch(message);
    expect(text.stderr).not.toContain("    at ");
    expect(asJson.stderr).toBe("");
    const { error } = JSON.parse(asJson.stdout) as { error: { name: string; message: string } };
    expect(error.message).toMatch(message);
  });
});

describe("inspect", { timeout: SLOW }, () => {
  test("puts layers together, in 80 columns and without colours", async () => {
    const { code, stdout, stderr } = await run(["inspect", "tsvene-mini"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^family +gpt2, GPT2LMHeadModel$/m);
    expect(stdout).toMatch(
      /^transformer\.h\.\[0-4\]\.mlp\.c_fc\.weight +x5 +112 x 448 +F32 +980 KiB$/m,
    );
    expect(stdout).not.toContain("\u001b");
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("ends without a word when its reader has seen enough", async () => {
    const child = start(["inspect", "tsvene-mini", "--all"]);
    child.stdout?.destroy();
    const { code, stderr } = await end(child);
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("writes data", async () => {
    const found = await json(["inspect", "tsvene-mini"]);
    expect(found).toMatchObject({ modelType: "gpt2", numbers: 968_688, tied: true });
  });

  test("takes a file, and refuses one of another kind", async () => {
    await writeFile(at("notes.txt"), "not a checkpoint, but a text of some length");
    const { code, stderr } = await run(["inspect", "notes.txt"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/notes.txt/);
  });
});

describe("convert and verify", { timeout: SLOW }, () => {
  test("bring a model there and back", async () => {
    const { code, stdout } = await run(["convert", "tsvene-mini", "torch"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^64 tensors, 3.70 MiB, as torch:\n {2}torch\/pytorch_model.bin\n/);
    const back = await json(["convert", "torch/pytorch_model.bin", "back.safetensors"]);
    expect(back).toMatchObject({ format: "safetensors", files: ["back.safetensors"] });
    const verified = await run(["verify", "torch"]);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toMatch(/\nok +model: GPT2LMHeadModel of 969 k parameters loads\n/);
    const again = await run(["convert", "tsvene-mini", "torch"]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/already.*--force/)]);
  });

  test("verify ends with 1 where a check fails", async () => {
    const whole = await readFile(at("back.safetensors"));
    await writeFile(at("cut.safetensors"), whole.subarray(0, -1));
    expect(await json(["verify", "cut.safetensors"], 1)).toMatchObject({
      ok: false,
      checks: [{ name: "headers", ok: false }],
    });
  });

  test("leave no file behind after Ctrl-C", async () => {
    const child = start(["convert", "tsvene-mini", "stopped"]);
    const ended = end(child);
    // When it begins to write: the directory is there.
    for (let i = 0; i < 2000 && !(await readdir(folder())).includes("stopped"); i++) await wait(2);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    const left = (await readdir(folder())).includes("stopped") ? await readdir(at("stopped")) : [];
    // It may have been quicker.
    if (code === 0) expect(left).toContain("pytorch_model.bin");
    else expect([code, stderr, left]).toEqual([130, "", []]);
  });
});

describe("run", { timeout: SLOW }, () => {
  test("goes on with a text", async () => {
    const { code, stdout } = await run(["run", "--prompt", "The capital of Spain is", "-n", "3"]);
    expect([code, stdout]).toEqual([0, "The capital of Spain is Madrid.\n"]);
  });

  test("draws the same again", async () => {
    const args = ["run", "-p", "One morning,", "--temperature", "0.9", "--seed", "3", "-n", "9"];
    const [first, second] = await Promise.all([json(args), json(args)]);
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      model: "tsvene-mini",
      original: { text: expect.any(String) as string },
    });
  });
});

describe("patch", { timeout: SLOW }, () => {
  const args = ["patch", ...TEXTS, "--answer", " Rome"];

  test("shows where the country is, and draws it", async () => {
    const { code, stdout } = await run([...args, "--out", "rome.svg"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^layer 0 +0.00 +0.00 +0.00 +1.00 +0.00$/m);
    expect(stdout).toMatch(/^layer 4 +0.00 +0.00 +0.00 +0.00 +1.00$/m);
    expect(stdout).toMatch(/drawn in rome.svg\n$/);
    const svg = await readFile(at("rome.svg"), "utf8");
    expect(svg).toContain('<title>Probability of " Rome" after');
  });

  test("compares with another answer, at some layers", async () => {
    const found = await json([...args, "--against", " Madrid", "--layers", "0,3-4"]);
    expect(found).toMatchObject({
      name: "logit difference",
      axes: [{ name: "component" }, { name: "layer", values: [0, 3, 4] }, { name: "position" }],
    });
  });

  test("says what a PNG needs before it computes", async () => {
    const { code, stdout, stderr } = await run([...args, "--out", "rome.png"]);
    if (code === 0) return;
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("npm install @resvg/resvg-js");
  });
});

describe("chat", { timeout: SLOW }, () => {
  test("answers line by line, and obeys", async () => {
    const input =
      "The capital of Spain is\n/help\n\n/reset\nThe capital of Italy is\n/quit\nnever read\n";
    const { code, stdout, stderr } = await run(["chat", "-n", "3"], { input });
    expect([code, stdout]).toEqual([0, " Madrid.\n Rome.\n"]);
    expect(stderr).toMatch(/^\/reset +forget/m);
  });

  test("goes on after what it cannot do, and says so at the end", async () => {
    const long = "word ".repeat(200);
    const input = `/rest\n${long}\nThe capital of Spain is\n`;
    const { code, stdout, stderr } = await run(["chat", "-n", "3"], { input });
    expect([code, stdout]).toEqual([1, " Madrid.\n"]);
    expect(stderr).toMatch(/no command \/rest; did you mean \/reset/);
    expect(stderr).toMatch(/the last message takes \d+ tokens, and there is room for 93/);
  });

  test("writes all turns as data", async () => {
    const { stdout } = await run(["chat", "-n", "3", "--json"], {
      input: "The capital of Spain is\n",
    });
    expect(JSON.parse(stdout)).toEqual({
      model: "tsvene-mini",
      turns: [
        { message: "The capital of Spain is", answers: [{ title: "as it is", text: " Madrid." }] },
      ],
    });
  });
});

describe("saved interventions", { timeout: SLOW }, () => {
  const story = "One morning, a little girl named Rose was on the farm.";

  beforeAll(async () => {
    const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
    const direction = tensor(Array.from({ length: 112 }, (_, i) => 2 * Math.sin(i)));
    const adds = new AdditionIntervention({ embedDim: 112, sourceRepresentation: direction });
    const place = { layer: 2, component: "mlp_output" } as const;
    await new IntervenableModel({ ...place, intervention: adds }, model).save(at("adds"));
    await new IntervenableModel({ ...place, intervention: VanillaIntervention }, model).save(
      at("swaps"),
    );
  });

  test("are described and verified", async () => {
    const { stdout } = await run(["inspect", "adds"]);
    expect(stdout).toMatch(/^saved by +tsvene$/m);
    expect(stdout).toMatch(/^edit +AdditionIntervention at layer 2 mlp_output, unit pos$/m);
    const verified = await json(["verify", "adds", "--model", "tsvene-mini"]);
    expect(verified).toMatchObject({ ok: true, checks: [{ name: "files" }, { name: "model" }] });
    const broken = at("adds/interventions.safetensors");
    const whole = await readFile(broken);
    await writeFile(
      broken,
      whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 1 : byte)),
    );
    expect(await json(["verify", "adds"], 1)).toMatchObject({ ok: false });
    await writeFile(broken, whole);
  });

  test("stand beside the model as it is, and at strength 0 are the same", async () => {
    const { code, stdout } = await run(["run", "-i", "adds", "-p", story, "-n", "8"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^One morning.*\n\nas it is +intervened\n/);
    const none = await json(["run", "-i", "adds", "--strength", "0", "-p", story, "-n", "8"]);
    const { original, intervened } = none as Record<string, unknown>;
    expect(intervened).toEqual(original);
    const much = await json(["run", "-i", "adds", "--strength", "9", "-p", story, "-n", "8"]);
    expect((much as Record<string, unknown>)["intervened"]).not.toEqual(original);
  });

  test("take states of another text", async () => {
    const args = ["run", "-i", "swaps", "-p", "The capital of Spain is", "-n", "3"];
    const without = await run(args);
    expect([without.code, without.stdout]).toEqual([1, ""]);
    expect(without.stderr).toMatch(/needs a source/);
    const source = ["--source", "The capital of Italy is", "--steps", "prompt"];
    expect((await run([...args, ...source])).stdout).toMatch(/Madrid\. +\S/);
  });

  test("are explained with their cost", async () => {
    const { stdout } = await run(["explain", "-i", "adds"]);
    expect(stdout).toMatch(/at transformer\.h\.2\.mlp\.output, units 1 x 5 x 112/);
    expect(stdout).toMatch(/^intervened: [\d.]+ M multiply-adds in \d+ operations$/m);
    expect(await json(["explain", "-i", "swaps"], 1)).toHaveProperty("error.message");
  });

  test("change their strength while one talks", async () => {
    const input = `${story}\n/off\n${story}\n/strength x\n/strength 2.5\n${story}\n`;
    const { stdout, stderr } = await run(["chat", "-i", "adds", "-n", "5"], { input });
    expect([...stdout.matchAll(/strength (\S+)/g)].map(([, strength]) => strength)).toEqual([
      "1",
      "0",
      "2.5",
    ]);
    expect(stderr).toMatch(/takes a number/);
  });

  test("are written anew under pyvene's keys", async () => {
    const { code, stderr } = await run(["convert", "adds", "anew"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/name it with --model/)]);
    await json(["convert", "adds", "anew", "--model", "tsvene-mini"]);
    const [old, fresh] = await Promise.all(["adds", "anew"].map((name) => readFile(at(`${name}/interventions.safetensors`)))); // prettier-ignore
    expect(fresh?.equals(old ?? new Uint8Array())).toBe(true);
  });

  test.each([
    ["addition_constant_old_comp_keys", "intkey_layer_2_comp_block_output_unit_pos_nunit_1#0.bin"],
    ["lowrank_old_repr_keys", "intkey_layer_2_comp_block_output_unit_pos_nunit_1#0.bin"],
  ])(
    "of pyvene's older keys (%s) become today's, for a model without a tokenizer",
    async (name, bin) => {
      const goldens = path.join(ROOT, "tests/goldens");
      const model = path.join(goldens, "models/gpt2");
      const target = at(`${name}-today`);
      await json(["convert", path.join(goldens, "pyvene_saved", name), target, "--model", model]);
      expect(await readdir(target)).toContain(bin);
      const { code, stdout } = await run(["verify", target, "--model", model]);
      expect([code, stdout]).toEqual([0, expect.stringContaining("all checks passed")]);
    },
  );
});

describe("push and pull", { timeout: SLOW }, () => {
  const hub = new HubServer();
  const env = (): Record<string, string> => ({
    HF_HUB_OFFLINE: "",
    HF_TOKEN: "hf_token",
    HF_ENDPOINT: hub.url,
    HF_HOME: at("home"),
  });
  beforeAll(async () => {
    hub.tokens.set("hf_token", "write");
    await hub.start();
    await mkdir(at("pushed"));
    await writeFile(at("pushed/a.json"), "{}");
  });
  afterAll(() => hub.stop());

  test("uploads a directory", async () => {
    const args = ["push", "pushed", "org/model", "--private", "--message", "More"];
    const { code, stdout, stderr } = await run(args, { env: env() });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^uploaded to org\/model: http:.*\/commit\/[0-9a-f]{40}\n$/);
    expect(hub.headOf("org/model").title).toBe("More");
    expect(hub.repositories.get("org/model")?.isPrivate).toBe(true);
    const proposed = await run(["push", "pushed", "org/model", "--create-pr", "--json"], {
      env: env(),
    });
    expect(JSON.parse(proposed.stdout)).toMatchObject({
      repo: "org/model",
      pullRequestUrl: `${hub.url}/org/model/discussions/1`,
    });
  });

  test("lets weights be inspected without downloading them", async () => {
    const names = ["config.json", "model.safetensors"];
    const files = names.map(async (name) => readFile(path.join(ROOT, "models/tsvene-mini", name)));
    const [config = Buffer.of(), weights = Buffer.of()] = await Promise.all(files);
    hub.create("org/large", false, { "config.json": config, "model.safetensors": weights });
    const { code, stdout } = await run(["inspect", "org/large"], { env: env() });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^tensors +64, /m)]);
    const kept = await readdir(at("home/hub/models--org--large/blobs"));
    expect(kept.length).toBe(1); // config.json
  });

  test("gets it back", async () => {
    hub.create("org/there", false, { "a.json": "[]", "deep/b.txt": "b" });
    const first = await run(["pull", "org/there"], { env: env() });
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toMatch(/^3 files of org\/there, at [0-9a-f]{12}, in there\n$/);
    expect(await readFile(at("there/deep/b.txt"), "utf8")).toBe("b");
    await writeFile(at("there/a.json"), "mine");
    const again = await run(["pull", "org/there", "there"], { env: env() });
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/a\.json.*--force/)]);
    const forced = await run(["pull", "org/there", "--force", "--json"], { env: env() });
    expect(JSON.parse(forced.stdout)).toMatchObject({ directory: "there" });
    expect(await readFile(at("there/a.json"), "utf8")).toBe("[]");
  });

  test("says what is in the way", async () => {
    const missing = await run(["push", "nowhere", "org/model"], { env: env() });
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/no directory/)]);
    const nobody = await run(["push", "pushed", "org/model"], { env: { ...env(), HF_TOKEN: "" } });
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(/needs a token/)]);
    const option = await run(["push", "pushed", "org/model", "--token", "x"], { env: env() });
    expect([option.code, option.stderr]).toEqual([2, expect.stringMatching(/unknown option/)]);
  });
});

describe("the guide", { timeout: SLOW }, () => {
  test("has command lines that work", async () => {
    const guide = await readFile(path.join(ROOT, "docs", "guide", "command-line.md"), "utf8");
    const blocks = [...guide.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = ""]) => block);
    const lines = blocks.flatMap((block) => block.trim().split("\n"));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, bare]) => quoted ?? bare,
      );
      const [npx, name, ...args] = words.map(String);
      expect([npx, name]).toEqual(["npx", "tsvene"]);
      const { code, stderr } = await run(args);
      expect(code, `${line}\n${stderr}`).toBe(0);
    }
  });
});

describe("completion", { timeout: SLOW }, () => {
  test("completes commands, options and words in bash", async () => {
    const { stdout } = await run(["completion", "bash"]);
    await writeFile(at("complete.bash"), stdout);
    const complete = async (...words: string[]): Promise<string[]> => {
      const list = words.map((word) => `'${word}'`).join(" ");
      const script = `source complete.bash; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _tsvene; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await runCommand(["bash", "-c", script], { cwd: folder(), timeout: SLOW });
      return stdout.split("\n").filter((line) => line !== "");
    };
    expect(await complete("tsvene", "in")).toEqual(["inspect"]);
    expect(await complete("tsvene", "patch", "--ag")).toEqual(["--against"]);
    expect(await complete("tsvene", "completion", "z")).toEqual(["zsh"]);
    expect(await complete("tsvene", "inspect", "complete.b")).toEqual(["complete.bash"]);
  });

  test.each(["zsh", "fish"])("has a script for %s that names every command", async (shell) => {
    const { code, stdout } = await run(["completion", shell]);
    expect(code).toBe(0);
    for (const name of ["inspect", "run", "patch", "chat", "convert", "verify", "explain"]) {
      expect(stdout).toContain(name);
    }
  });
});
