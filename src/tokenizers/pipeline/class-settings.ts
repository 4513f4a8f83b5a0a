import { isObject } from "../../formats/json-values.ts";
import { Fields, type JsonObject } from "./fields.ts";
import type { PostProcessor, TextToken } from "./post-processors.ts";

/**
 * Settings of tokenizer_config.json that a class of transformers writes over what tokenizer.json
 * says. Other classes keep them without using them.
 */
const BERT_CLASSES = new Set(
  (
    "Bert ConvBert DistilBert DPRContextEncoder DPRQuestionEncoder DPRReader Electra Funnel LayoutLM " +
    "Lxmert MobileBert MPNet RealmQA Retribert SqueezeBert"
  ).split(" "),
);
const BYTE_CLASSES = new Set(
  "Bart Blenderbot CodeGen Deberta GPT2 GPTNeoX LED Longformer MVP Roberta".split(" "),
);

/** `BertTokenizerFast` and `BertTokenizer` are of the class Bert. */
function className(config: JsonObject): string {
  const name = config["tokenizer_class"];
  return typeof name === "string" ? name.replace(/(Tokenizer)?(Fast)?$/, "") : "";
}

/** Fields of a BertNormalizer, and of the configuration that sets them. */
const BERT_SETTINGS: readonly (readonly [config: string, normalizer: string])[] = [
  ["do_lower_case", "lowercase"],
  ["strip_accents", "strip_accents"],
  ["tokenize_chinese_chars", "handle_chinese_chars"],
];

/** The parsed tokenizer.json with what the configuration's class writes over it. */
export function withClassSettings(json: JsonObject, config: JsonObject): JsonObject {
  const name = className(config);
  if (BERT_CLASSES.has(name)) return withBertSettings(json, config);
  if (BYTE_CLASSES.has(name)) return withPrefixSpace(json, config);
  return json;
}

function withBertSettings(json: JsonObject, config: JsonObject): JsonObject {
  const { normalizer } = json;
  if (!isObject(normalizer) || normalizer["type"] !== "BertNormalizer") return json;
  const written = BERT_SETTINGS.filter(([key]) => config[key] !== undefined);
  const settings = Object.fromEntries(written.map(([key, field]) => [field, config[key]]));
  return { ...json, normalizer: { ...normalizer, ...settings } };
}

function withPrefixSpace(json: JsonObject, config: JsonObject): JsonObject {
  const { pre_tokenizer } = json;
  const addsSpace = config["add_prefix_space"];
  if (typeof addsSpace !== "boolean" || !isObject(pre_tokenizer)) return json;
  if (pre_tokenizer["type"] !== "ByteLevel") return json;
  return { ...json, pre_tokenizer: { ...pre_tokenizer, add_prefix_space: addsSpace } };
}

/**
 * What `add_bos_token` and `add_eos_token` put around a text, in place of tokenizer.json's
 * post-processor; undefined when the configuration has neither.
 *
 * @param idOf the id of a token.
 */
export function boundaryProcessor(
  config: JsonObject,
  bos: string | undefined,
  eos: string | undefined,
  idOf: (token: string) => number | undefined,
): PostProcessor | undefined {
  const fields = new Fields(config, "tokenizer_config.json");
  if (!fields.has("add_bos_token") && !fields.has("add_eos_token")) return undefined;
  const tokenOf = (flag: string, token: string | undefined): TextToken[] => {
    const id = token !== undefined && fields.flag(flag, false) ? idOf(token) : undefined;
    return id === undefined ? [] : [{ id, token: token ?? "", begin: 0, end: 0, isAround: true }];
  };
  const before = tokenOf("add_bos_token", bos);
  const after = tokenOf("add_eos_token", eos);
  return (runs, addsSpecial) => (addsSpecial ? [before, ...runs, after] : runs);
}
