import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { AutoTokenizer } from "./auto-tokenizer.ts";
import type { ChatMessage } from "./chat-template.ts";
import { MemoryFiles } from "../files/memory-files.ts";
import type { PreTrainedTokenizer } from "./tokenizer.ts";

const MINI = "models/tsvene-mini";
const tokenizerJson = await readFile(`${MINI}/tokenizer.json`);

/** The form that ChatML templates have, with the line breaks of those in the wild. */
const CHATML = `{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}`;

const messages: readonly ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];

async function load(
  config: Record<string, unknown>,
  files: Record<string, string> = {},
): Promise<PreTrainedTokenizer> {
  const text = JSON.stringify(config);
  return AutoTokenizer.fromPretrained(
    new MemoryFiles({ "tokenizer.json": tokenizerJson, "tokenizer_config.json": text, ...files }),
  );
}

describe("applyChatTemplate", () => {
  it("writes a conversation, and the beginning of an answer where asked", async () => {
    const tokenizer = await load({ chat_template: CHATML });
    const text = tokenizer.applyChatTemplate(messages, { tokenize: false });
    const wanted = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n";
    expect(text).toBe(wanted);
    const prompt = { addGenerationPrompt: true, tokenize: false } as const;
    const asked = `${wanted}<|im_start|>assistant\n`;
    expect(tokenizer.applyChatTemplate(messages, prompt)).toBe(asked);
    expect(tokenizer.withOptions({}).applyChatTemplate(messages, prompt)).toBe(asked);
  });

  it("gives token ids without further special tokens", async () => {
    const tokenizer = await load({ chat_template: "{{ messages[0].content }}" });
    const { inputIds } = tokenizer.applyChatTemplate([{ role: "user", content: "The capital" }]);
    const wanted = tokenizer.encode("The capital", { addSpecialTokens: false });
    expect(await inputIds.toArray()).toEqual([wanted]);
  });

  it("takes special tokens and variables, a file of its own, and one of several", async () => {
    const template = "{{ eos_token }} {{ mood }}";
    const config = { eos_token: "<|endoftext|>", chat_template: "not this" };
    const own = await load(config, { "chat_template.jinja": template });
    const options = { tokenize: false, variables: { mood: "glad" } } as const;
    expect(own.applyChatTemplate(messages, options)).toBe("<|endoftext|> glad");
    const several = await load({
      chat_template: [
        { name: "default", template: "a" },
        { name: "tool_use", template: "b{{ tools | length }}" },
      ],
    });
    const apply = (more: object): string =>
      several.applyChatTemplate(messages, { ...more, tokenize: false });
    expect([apply({}), apply({ tools: [{}] }), apply({ chatTemplate: "{{ 1 + 1 }}" })]).toEqual([
      "a",
      "b1",
      "2",
    ]);
  });

  it("says what is wrong", async () => {
    const none = await load({});
    expect(() => none.applyChatTemplate(messages)).toThrow("has no chat template");
    const strict = await load({ chat_template: "{{ raise_exception('only users speak') }}" });
    expect(() => strict.applyChatTemplate(messages)).toThrow("only users speak");
    expect(() => strict.applyChatTemplate([])).toThrow('{ role: "user", content: "Hello" }');
    const broken = await load({ chat_template: "{% for %}" });
    expect(() => broken.applyChatTemplate(messages)).toThrow("applyChatTemplate: the template");
    const named = (chatTemplate: string) => (): unknown =>
      strict.applyChatTemplate(messages, { chatTemplate });
    expect(named("tool_use")).toThrow('"tool_use" is no template in Jinja');
    const wrong = (options: object) => (): unknown => strict.applyChatTemplate(messages, options);
    expect(wrong({ add_generation_prompt: true })).toThrow("addGenerationPrompt");
    expect(wrong({ tools: [() => 1] })).toThrow("tools[0] is of type function; a JSON schema");
    expect(wrong({ documents: "x" })).toThrow("documents are of type string; a list");
    expect(wrong({ variables: { messages: [] } })).toThrow("variables may not have messages");
    const dated = await load({ chat_template: "{{ messages[0].when }}" });
    const when = [{ role: "user", content: "x", when: new Date() }];
    expect(() => dated.applyChatTemplate(when)).toThrow("messages[0].when, which is a Date");
  });

  it("gives templates documents, the time, and every special token by its name", async () => {
    const template =
      "{{ documents[0].title }}{{ strftime_now('%Y-%m-%d') }}{{ image_token }}{{ boi }}" +
      "{{ add_bos_token }}{% generation %}!{% endgeneration %}";
    const tokenizer = await load({
      chat_template: template,
      add_bos_token: true,
      image_token: { content: "<|endoftext|>" },
      extra_special_tokens: { boi: "<b>" },
    });
    const text = tokenizer.applyChatTemplate(messages, {
      tokenize: false,
      documents: [{ title: "T" }],
      now: new Date(2024, 6, 5),
    });
    expect(text).toBe("T2024-07-05<|endoftext|><b>!");
  });

  it("goes on with the last message", async () => {
    const tokenizer = await load({ chat_template: CHATML });
    const options = { tokenize: false, continueFinalMessage: true } as const;
    const write = (content: string | object[], chatTemplate?: string): string =>
      tokenizer.applyChatTemplate(
        [
          { role: "user", content: "a" },
          { role: "assistant", content },
        ],
        { ...options, ...(chatTemplate === undefined ? {} : { chatTemplate }) },
      );
    const start = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n";
    expect(write("The answer ")).toBe(`${start}The answer `);
    const trimming = "{% for m in messages %}[{{ m.content|trim }}]{% endfor %}";
    expect(write(" The answer ", trimming)).toBe("[a][The answer");
    const blocks = "{% for m in messages %}[{{ m.content[-1].text }}]{% endfor %}";
    expect(write([{ type: "image" }, { type: "text", text: "So" }], blocks)).toBe("[][So");
    expect(() => write("x", "{{ messages[0].content }}")).toThrow("leaves the last message out");
    expect(() => write([{ type: "image" }])).toThrow("no text to go on with");
    expect(() =>
      tokenizer.applyChatTemplate(messages, { ...options, addGenerationPrompt: true }),
    ).toThrow("exclude each other");
  });

  it("takes further templates from files beside the default one", async () => {
    const files = {
      "chat_template.jinja": "a",
      "additional_chat_templates/tool_use.jinja": "b{{ tools|length }}",
    };
    const tokenizer = await load({ chat_template: "not this" }, files);
    const apply = (options: object): string =>
      tokenizer.applyChatTemplate(messages, { ...options, tokenize: false });
    expect([
      apply({}),
      apply({ tools: [{}] }),
      apply({ chatTemplate: "tool_use", tools: [] }),
    ]).toEqual(["a", "b1", "b0"]);
  });
});
