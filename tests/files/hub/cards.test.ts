import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CardOptions,
  full,
  GPT2LMHeadModel,
  IntervenableModel,
  type PushOptions,
  RotatedSpaceIntervention,
  ZeroIntervention,
} from "tsvene";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { cardText, isMadeCard, yamlText } from "../../../src/files/repository-card.ts";
import { ROOT, runProgram } from "../../repository/repository.ts";
import { HubServer } from "./hub-server.ts";

const TOKEN = "hf_token";

let parent = "";
let hub: HubServer;
beforeAll(async () => {
  await mkdir(join(ROOT, "out"), { recursive: true });
  parent = await mkdtemp(join(ROOT, "out", "cards-"));
});
afterAll(() => rm(parent, { recursive: true, force: true }));
beforeEach(async () => {
  hub = new HubServer();
  hub.tokens.set(TOKEN, "write");
  await hub.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.stop();
});

async function push(more: Partial<PushOptions> = {}, readme?: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-card-"));
  if (readme !== undefined) await writeFile(join(directory, "README.md"), readme);
  const settings = { nLayer: 1, nEmbd: 16, nHead: 2, vocabSize: 50, nPositions: 8 };
  const model = new GPT2LMHeadModel(settings).eval();
  for (const parameter of model.parameters()) parameter.set(full([...parameter.shape], 1));
  const pushToHub = { repo: "org/my-model", token: TOKEN, hubUrl: hub.url, ...more };
  await model.savePretrained(directory, { pushToHub });
  await rm(directory, { recursive: true });
}

function readme(branch?: string): string {
  return hub.textsOf("org/my-model", branch)["README.md"] ?? "";
}

/** Runs the code of a card as somebody does who copies it. */
async function runCode(card: string): Promise<string> {
  const [, code = ""] = /```ts\n([^]*?)\n```/.exec(card) ?? [];
  const file = join(parent, `card-${Math.random()}.ts`);
  await writeFile(file, code);
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_TOKEN", TOKEN);
  vi.stubEnv("HF_HOME", join(parent, "home"));
  const { code: status, stdout, stderr } = await runProgram(file, 60_000);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

describe("the card of a model", () => {
  it("is how the Hub finds it", async () => {
    const card: CardOptions = {
      license: "apache-2.0",
      baseModel: "openai-community/gpt2",
      tags: ["steering", "gpt2"],
      description: "It likes **ones**.",
    };
    await push({ card });
    expect(readme().split("\n").slice(0, 10)).toEqual([
      "---",
      "library_name: tsvene",
      "license: apache-2.0",
      "base_model: openai-community/gpt2",
      "tags:",
      "- tsvene",
      "- gpt2",
      "- steering",
      "---",
      "",
    ]);
    expect(readme()).toContain("# org/my-model\n\nIt likes **ones**.\n\nA model of the class");
  });

  it.each<[string, Partial<PushOptions>]>([
    ["of a public repository", {}],
    ["on a branch of a private one", { private: true, revision: "a/b" }],
  ])("has code that loads it: %s", { timeout: 90_000 }, async (_, more) => {
    await push(more);
    expect(await runCode(readme(more.revision))).toContain("nEmbd: 16");
  });

  it("has the caller's code for a class of his own", async () => {
    await push({ card: { code: 'console.log("mine");' } });
    expect(readme()).toContain('```ts\nconsole.log("mine");\n```');
  });

  it("is made anew until somebody makes it his own", async () => {
    await push({ card: { license: "mit" } });
    await push({ card: { license: "apache-2.0" } });
    expect(readme()).toContain("license: apache-2.0");
    const own = readme().replace(/<!--.*-->/, "");
    hub.commitBeside("org/my-model", "README.md", own);
    await push({ card: { license: "mit" } });
    expect(readme()).toBe(own);
  });

  it("is the README.md of the directory where there is one", async () => {
    await push();
    await push({}, "# Mine\n");
    expect(readme()).toBe("# Mine\n");
  });
});

describe("the card of interventions", () => {
  async function pushInterventions(includeModel: boolean): Promise<string> {
    await push();
    const access = { token: TOKEN, hubUrl: hub.url };
    const model = await GPT2LMHeadModel.fromPretrained("org/my-model", {
      ...access,
      cacheDir: join(parent, "cache"),
    });
    const intervenable = new IntervenableModel(
      [
        { layer: 0, component: "mlp_output", intervention: RotatedSpaceIntervention },
        { component: "transformer.h.0.attn.output", intervention: ZeroIntervention },
      ],
      model,
    );
    const directory = await mkdtemp(join(tmpdir(), "tsvene-card-"));
    const pushToHub = { ...access, repo: "org/found", card: { license: "mit" } };
    const pushed = await intervenable.save(directory, { includeModel, pushToHub });
    expect(pushed?.commit).toBe(hub.headOf("org/found").oid);
    await rm(directory, { recursive: true });
    return hub.textsOf("org/found")["README.md"] ?? "";
  }

  it("names the model that they were made for", async () => {
    const card = await pushInterventions(false);
    expect(card.split("\n").slice(0, 9)).toEqual([
      "---",
      "library_name: tsvene",
      "license: mit",
      "base_model: org/my-model",
      "tags:",
      "- tsvene",
      "- interventions",
      "- pyvene",
      "- gpt2",
    ]);
    expect(card).toContain("| `RotatedSpaceIntervention` | layer 0, mlp_output, pos |");
    expect(card).toContain("| `ZeroIntervention` | transformer.h.0.attn.output, pos |");
  });

  it.each([false, true])(
    "has code that loads them: includeModel %j",
    { timeout: 90_000 },
    async (includeModel) => {
      const output = await runCode(await pushInterventions(includeModel));
      expect(output).toMatch(/^\[.*'.+',.*'.+'.*\]\n$/s);
    },
  );
});

describe("the header of a card", () => {
  const HOSTILE = [
    "a\nlicense: mit",
    'a"\nb: c',
    "- x",
    "# x",
    "!!python/object",
    "*a",
    "&a",
    "{a: b}",
    "[a]",
    "a: b",
    "a #b",
    "yes",
    "No",
    "null",
    "~",
    "1e3",
    "---",
    "...",
    "'",
    "\\",
    "\u0085\u2028\u2029\ufeff\u0000\u007f\ud800",
    "ключ 😀",
    " ",
    "| x",
    "%TAG",
    "@a",
    "`a",
    "?",
    "=",
    "<<",
  ];

  it.each(HOSTILE)("has the text %j on one line, in quotes that it cannot leave", (text) => {
    const yaml = yamlText(text);
    expect(yaml).toMatch(/^"(?:[^"\\\p{Cc}\u2028\u2029\ufeff]|\\["\\bfnrt]|\\u[0-9a-f]{4})*"$/u);
    expect(JSON.parse(yaml)).toBe(text.replaceAll("\ud800", "\ufffd"));
  });

  it.each(["apache-2.0", "openai-community/gpt2", "text", "gpt2"])(
    "has the word %s as it is",
    (text) => {
      expect(yamlText(text)).toBe(text);
    },
  );

  it("is the only one of a card, whatever its parts say", () => {
    const text = "x\n---\nlicense: mit\n---";
    const card = cardText({ title: "a", about: "b", code: "c", tags: [text], baseModel: text });
    expect(card.split("\n").filter((line) => line === "---").length).toBe(2);
    expect(card).not.toMatch(/^license:/m);
    expect(isMadeCard(card)).toBe(true);
  });
});
