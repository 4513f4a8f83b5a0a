import { beforeAll, describe, expect, test } from "vitest";
import { AutoTokenizer } from "./auto-tokenizer.ts";
import { Conversation } from "./conversation.ts";
import { PreTrainedTokenizer } from "./tokenizer.ts";
import { openFiles } from "../files/open-files.ts";

let plain: PreTrainedTokenizer;
let templated: PreTrainedTokenizer;

const TEMPLATE =
  "{% for m in messages %}{% if loop.first and m.role == 'assistant' %}" +
  "{{ raise_exception('a user begins') }}{% endif %}{{ m.role }}: {{ m.content }}.{% endfor %}" +
  "{% if add_generation_prompt %}assistant:{% endif %}";

beforeAll(async () => {
  plain = await AutoTokenizer.fromPretrained("tsvene-mini");
  const json = await (await openFiles("tsvene-mini")).readJson("tokenizer.json");
  templated = new PreTrainedTokenizer(json, { chat_template: TEMPLATE });
});

describe("Conversation", () => {
  test("writes messages by the template, and asks for an answer", () => {
    const start = new Conversation(templated, [{ role: "system", content: "Be brief" }]);
    const asked = start.with("user", "Hi").with("assistant", "Hello").with("user", "Bye");
    const { ids, dropped } = asked.prompt();
    expect(dropped).toBe(0);
    expect(templated.decode(ids)).toBe(
      "system: Be brief.user: Hi.assistant: Hello.user: Bye.assistant:",
    );
    expect(start.messages).toHaveLength(1);
  });

  test("goes on with the texts where there is no template", () => {
    expect(plain.hasChatTemplate).toBe(false);
    const talk = new Conversation(plain).with("user", "A cat").with("assistant", " sat.");
    const { ids, inputs } = talk.with("user", "A dog").prompt();
    expect(plain.decode(ids)).toBe("A cat sat.\nA dog");
    expect(inputs.inputIds.shape).toEqual([1, ids.length]);
  });

  test("leaves out the oldest, with its answer, and keeps what the system says", () => {
    const start = new Conversation(templated, [{ role: "system", content: "Be brief" }]);
    const talk = start.with("user", "One").with("assistant", "Two").with("user", "Three");
    const all = talk.prompt().ids.length;
    const { ids, dropped } = talk.prompt(all - 1);
    expect(dropped).toBe(2);
    expect(templated.decode(ids)).toBe("system: Be brief.user: Three.assistant:");
  });

  test("refuses a last message that is too long by itself", () => {
    const talk = new Conversation(plain).with("user", "The capital of Spain is");
    expect(() => talk.prompt(4)).toThrow(/takes 5 tokens, and there is room for 4/);
  });
});
