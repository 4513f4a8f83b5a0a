import { mkdir, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { inspect } from "node:util";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HttpFiles } from "../../../src/files/http-files.ts";
import { openFiles } from "../../../src/files/open-files.ts";
import {
  type Answer,
  cacheDir,
  expectWeights,
  failure,
  hub,
  hubUrl,
  open,
  openMain,
  Scripted,
  sendWeights,
  TOKEN,
} from "./scripted-hub.ts";

describe("the token", () => {
  it.each(["with signs of a CDN", "without"])("goes to no other server %s", async (signs) => {
    const other = new Scripted();
    const otherUrl = await other.start("localhost");
    other.answer = (request, response) => {
      if (signs !== "without") response.setHeader("X-Cache", "Hit from cloudfront");
      sendWeights(request, response);
    };
    hub.answer = (_, response) => void response.writeHead(302, { Location: otherUrl }).end();
    expectWeights(await open({ token: TOKEN }).readBytes("w"));
    expect(hub.seen.length).toBeGreaterThan(0);
    expect(new Set(hub.seen.map((seen) => seen.authorization))).toEqual(new Set([`Bearer ${TOKEN}`])); // prettier-ignore
    expect(new Set(other.seen.map((seen) => seen.authorization))).toEqual(new Set([undefined]));
    await other.stop();
  });

  it("is not said again when another server leads back", async () => {
    const other = new Scripted();
    const otherUrl = await other.start();
    other.answer = (_, response) => void response.writeHead(302, { Location: `${hubUrl}/back` }).end(); // prettier-ignore
    hub.answer = (request, response) => {
      if (request.url === "/back") sendWeights(request, response);
      else response.writeHead(302, { Location: otherUrl }).end();
    };
    await open({ token: TOKEN }).readBytes("w");
    const back = hub.seen.filter(({ url }) => url === "/back");
    expect(back.length).toBeGreaterThan(0);
    expect(back.every(({ authorization }) => authorization === undefined)).toBe(true);
    await other.stop();
  });

  it("follows a redirection within the Hub, as of a renamed repository", async () => {
    hub.answer = (request, response) => {
      if (request.url?.startsWith("/new")) sendWeights(request, response);
      else response.writeHead(307, { Location: "/new/w" }).end();
    };
    await open({ token: TOKEN }).readBytes("w");
    expect(hub.seen.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
  });

  it.each([
    ["HF_TOKEN", { HF_TOKEN: ` ${TOKEN}\n` }],
    ["the older variable", { HUGGING_FACE_HUB_TOKEN: TOKEN }],
    ["the file", {}],
    ["the file of HF_TOKEN_PATH", { HF_TOKEN_PATH: "elsewhere" }],
  ])("is taken from %s", async (from, env: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(env)) {
      vi.stubEnv(name, name === "HF_TOKEN_PATH" ? join(cacheDir, value) : value);
    }
    await mkdir(join(cacheDir, "home"));
    const isFile = from.startsWith("the file");
    const path =
      "HF_TOKEN_PATH" in env ? join(cacheDir, "elsewhere") : join(cacheDir, "home/token");
    await writeFile(path, isFile ? `${TOKEN}\n` : "hf_of_the_file");
    hub.answer = (request, response) => sendWeights(request, response);
    await open().readBytes("w");
    expect(hub.seen[0]?.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it.each([
    ["blank", { HF_TOKEN: " \n" }, undefined],
    ["not wanted", { HF_TOKEN: TOKEN }, false],
    ["switched off", { HF_TOKEN: TOKEN, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }, undefined],
  ] as const)("is none when it is %s", async (_, env, token) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    hub.answer = (request, response) => sendWeights(request, response);
    await open(token === undefined ? {} : { token }).readBytes("w");
    expect(hub.seen[0]?.authorization).toBeUndefined();
  });

  it("is asked for with true", async () => {
    expect((await failure(open({ token: true }).readBytes("w"))).message).toContain(
      "token is true",
    );
  });
});

describe("a private repository", () => {
  beforeEach(() => {
    hub.answer = (request, response) => {
      if (request.headers.authorization === `Bearer ${TOKEN}`) sendWeights(request, response);
      else response.writeHead(401, { "X-Error-Message": "Invalid username or password." }).end();
    };
  });

  it("is read with the token, in whatever way that is found", async () => {
    expectWeights(await open({ token: TOKEN }).readBytes("w"));
    vi.stubEnv("HF_TOKEN", TOKEN);
    expect(await open().exists("other")).toBe(true);
  });

  it.each<[string, Readonly<Record<string, string>>, string | undefined, string]>([
    ["none", {}, undefined, "no token was sent"],
    ["one", {}, "hf_wrong", "the token of the option `token` was refused"],
    ["one of the environment", { HF_TOKEN: "hf_wrong" }, undefined, "the token of the environment variable HF_TOKEN was refused"], // prettier-ignore
    ["one of its older variable", { HUGGING_FACE_HUB_TOKEN: "hf_wrong" }, undefined, "the token of the environment variable HUGGING_FACE_HUB_TOKEN was refused"], // prettier-ignore
  ])("says which token was refused: %s", async (_, env, token, wanted) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const error = await failure(open(token === undefined ? {} : { token }).readBytes("w"));
    expect(error).toMatchObject({ code: "unauthorized" });
    expect(error.message).toContain(wanted);
    expect(error.message).toContain("pass a token that may read it as `token`, or log in with");
    expect(error.message).toContain("(Invalid username or password.)");
    expect(error.message).not.toContain("hf_wrong");
  });

  it("says which file of hf auth login had the token that was refused", async () => {
    await mkdir(join(cacheDir, "home"));
    await writeFile(join(cacheDir, "home/token"), "hf_wrong\n");
    expect((await failure(open().readBytes("w"))).message).toContain(
      `the token of the file ${join(cacheDir, "home/token")} of \`hf auth login\` was refused`,
    );
  });
});

describe("no message says a secret", () => {
  const PASSWORD = "pass%2Fword-secret";
  const SIGNATURE = "Signature=secretsignature";
  const leaks = (error: unknown): string[] => {
    const text = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
    return [TOKEN, "secretsignature", "pass%2Fword-secret", "pass/word-secret"].filter((secret) =>
      text.includes(secret),
    );
  };
  const signed = (response: ServerResponse, to: string): void =>
    void response.writeHead(302, { Location: `${to}/file?${SIGNATURE}` }).end();
  const withToken = { token: TOKEN, retries: 0, timeout: 0.2 };

  const failing: Readonly<Record<string, Answer>> = {
    "a broken connection": (_, response) => void response.destroy(),
    silence: () => undefined,
    "an error that repeats the request": (request, response) => {
      const said = String(request.headers.authorization);
      response.setHeader("X-Error-Message", said);
      response.writeHead(500, said, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ error: said }));
    },
    "a refusal that repeats the request": (request, response) => {
      response.setHeader("X-Error-Message", String(request.headers.authorization));
      response.writeHead(403).end();
    },
    "an answer that is not understood": (request, response) => {
      response.end(`<${String(request.headers.authorization)}>`);
    },
    "a signed link to nowhere": (_, response) => signed(response, "http://127.0.0.1:1"),
    "a signed link to no web server": (_, response) => signed(response, "ftp://127.0.0.1"),
    "a signed link to no URL": (_, response) => signed(response, "http://["),
    "a signed link in a circle": (_, response) => signed(response, hubUrl),
    "a link with the token": (_, response) =>
      void response.writeHead(302, { Location: `http://${TOKEN}@127.0.0.1:1/${TOKEN}` }).end(),
  };
  it.each(Object.keys(failing))("of %s", async (name) => {
    hub.answer = failing[name] ?? hub.answer;
    for (const files of [open(withToken), openMain(withToken)]) {
      expect(leaks(await failure(files.readBytes("w")))).toEqual([]);
    }
    const url = hubUrl.replace("//", `//user:${PASSWORD}@`);
    const place = new HttpFiles(`${url}/models?${SIGNATURE}`, { retries: 0, timeout: 0.2 });
    expect(leaks(place.location)).toEqual([]);
    const error = await place.readJson("config.json").catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    expect(leaks(error)).toEqual([]);
    const withPassword = open({ hubUrl: url, token: false, retries: 0, timeout: 0.2 });
    expect(leaks(await failure(withPassword.readBytes("w")))).toEqual([]);
  });

  it("of what a caller's fetch throws", async () => {
    const faulty = async (url: unknown, init?: RequestInit): Promise<Response> => {
      const error = new Error(`cannot fetch ${String(url)}?${SIGNATURE}`);
      throw Object.assign(error, { request: { headers: init?.headers } });
    };
    const files = open({ ...withToken, fetch: faulty });
    expect(leaks(await failure(files.readBytes("w")))).toEqual([]);
  });

  it.each(["with blank", "line\nbreak", "ключ"])("of the token %j that cannot be", async (rest) => {
    const error = await failure(open({ token: `${TOKEN}${rest}` }).readBytes("w"));
    expect(error.message).toContain("characters that none has");
    expect(leaks(error)).toEqual([]);
  });

  it("of URLs that cannot be asked", async () => {
    const bad = `http://user:${PASSWORD}@[/model?${SIGNATURE}`;
    expect(leaks(await failure(openFiles(bad)))).toEqual([]);
    expect(() => open({ hubUrl: bad })).toThrow("hubUrl is not an http or https URL");
    const both = open({ hubUrl: hubUrl.replace("//", `//user:${PASSWORD}@`), token: TOKEN });
    const error = await failure(both.readBytes("w"));
    expect(error.message).toContain("and there is a token too");
    expect(leaks(error)).toEqual([]);
  });

  it("but a user and password are told to their server, and a query is kept", async () => {
    hub.answer = (_, response) => void response.end("{}");
    const url = hubUrl.replace("//", `//user:${PASSWORD}@`);
    await new HttpFiles(`${url}/models?${SIGNATURE}`).readJson("config.json");
    const authorization = `Basic ${btoa("user:pass/word-secret")}`;
    expect(hub.seen).toEqual([
      { url: `/models/config.json?${SIGNATURE}`, authorization, range: undefined },
    ]);
  });
});
