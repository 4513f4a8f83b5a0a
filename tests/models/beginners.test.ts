import * as tsvene from "tsvene";
import { AutoTokenizer, ones, tensor } from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

const { GPT2LMHeadModel, AutoModelForCausalLM, LlamaForCausalLM, findPositions } = untyped(tsvene);
const small = { nLayer: 1, nEmbd: 8, nHead: 2, vocabSize: 64, bosTokenId: null, eosTokenId: null };
const model = new GPT2LMHeadModel(small);
const inputIds = tensor([[3, 1, 4]], { dtype: "int64" });
const base = { inputIds };
const later = Promise.resolve(base);
const mini = await AutoTokenizer.fromPretrained("models/tsvene-mini");
const empty = mini.tokenize("");
const tokenizer = untyped(mini);
const load = (...args: unknown[]): unknown => AutoModelForCausalLM.fromPretrained?.(...args);

const INPUTS = /takes inputs by name, got .*tokenizer\.tokenize\(text\); of ids, \{ inputIds/;
const PROMPT = /expected \{ inputIds \}, as tokenizer\.tokenize\(text\) gives; got /;
const PROMISE = /a Promise \(write await before/;

refusesEach([
  ["no name", () => load(), /a directory or a model .*got undefined/],
  ["a name not awaited", () => load(later), PROMISE],
  ["a directory that is not there", () => load("./nowhere"), /no directory "\.\/nowhere"/],
  ["torch_dtype", () => load("tsvene-mini", { torch_dtype: "x" }), /did you mean dtype/],
  [
    "a device",
    () => load("models/tsvene-mini", { device: "gpu" }),
    /"gpu" is no device; there are cpu, wasm, webgpu/,
  ],
  ["options without names", () => load("models/tsvene-mini", "cuda"), /one object by name: dtype/],
  [
    "another family's class",
    () => LlamaForCausalLM.fromPretrained?.("models/tsvene-mini"),
    /type "gpt2", wanted "llama"; AutoModel/,
  ],
  ["a misspelt setting", () => new GPT2LMHeadModel({ nLayers: 2 }), /did you mean nLayer/],
  ["Python's setting", () => new GPT2LMHeadModel({ n_layer: 2 }), /did you mean nLayer/],
  ["a name for settings", () => new GPT2LMHeadModel("gpt2"), /one object by name, got a string/],
  ["settings not awaited", () => new GPT2LMHeadModel(later), PROMISE],
  ["a text for a number", () => new GPT2LMHeadModel({ nLayer: "2" }), /whole number .*got "2"/],
  ["forward without inputs", () => model.forward?.(), INPUTS],
  ["forward of a text", () => model.forward?.("The"), INPUTS],
  ["forward of ids", () => model.forward?.([3, 1]), INPUTS],
  ["forward of a tensor", () => model.forward?.(inputIds, ones([1, 3])), INPUTS],
  ["forward of what encode gives", () => model.forward?.(tokenizer.encode?.("a")), INPUTS],
  ["forward of a promise", () => model.forward?.(later), PROMISE],
  ["forward of nothing by name", () => model.forward?.({}), /give inputIds .*tokenizer\.tokenize/],
  ["Python's input", () => model.forward?.({ input_ids: inputIds }), /did you mean inputIds/],
  [
    "all hidden states, as in transformers",
    () => model.forward?.({ ...base, outputHiddenStates: true }),
    /no input outputHiddenStates; collect them with a CollectIntervention/,
  ],
  [
    "a mask of heads, as in transformers",
    () => model.forward?.({ ...base, headMask: ones([2, 2]) }),
    /no input headMask; use a ZeroIntervention/,
  ],
  [
    "a misspelt mask",
    () => model.forward?.({ ...base, attentionMasks: ones([1, 1]) }),
    /no input attentionMasks; did you mean attentionMask\?/,
  ],
  [
    "a list of ids by name",
    () => model.forward?.({ inputIds: [[3]] }),
    /must be a tensor, got a list of 1; write inputIds: tensor\(values/,
  ],
  ["ids not awaited", () => model.forward?.({ inputIds: Promise.resolve(inputIds) }), PROMISE],
  [
    "one row of ids",
    () => model.forward?.({ inputIds: tensor([3]) }),
    /\[batch, sequence\], got \[1\]/,
  ],
  ["fractions as ids", () => model.forward?.({ inputIds: ones([1, 2]) }), /int64 .*got float32/],
  [
    "an id that no token has",
    () => model.forward?.({ inputIds: tensor([[99]], { dtype: "int64" }) }),
    /99 is not in the vocabulary of 64; expected 0 to 63/,
  ],
  ["an empty text", () => model.forward?.(empty), /inputIds \[1, 0\] are empty; give at least one/],
  [
    "a list as mask",
    () => model.forward?.({ ...base, attentionMask: [[1]] }),
    /attentionMask: tensor/,
  ],
  ["a list of labels", () => model.forward?.({ ...base, labels: [[1]] }), /write labels: tensor/],
  ["writing from a text", () => model.generate?.("The"), PROMPT],
  ["writing from a tensor", () => model.generate?.(inputIds), PROMPT],
  ["writing from nothing", () => model.generate?.(), PROMPT],
  ["writing from a promise", () => model.generate?.(later), PROMISE],
  ["writing from no token", () => model.generate?.(empty), /prompt is empty: .*at least one/],
  ["max_new_tokens", () => model.generate?.(base, { max_new_tokens: 3 }), /mean maxNewTokens/],
  ["a bare number of tokens", () => model.generate?.(base, 3), /one object by name: maxNewTokens/],
  ["no tokens", () => model.generate?.(base, { maxNewTokens: 0 }), /of 1 or more, got 0/],
  ["no text", () => tokenizer.encode?.(), /got undefined; a string was expected/],
  ["texts where one is taken", () => tokenizer.encode?.(["a"]), /got \["a"\]; a string/],
  ["a text not awaited", () => tokenizer.tokenize?.(later), PROMISE],
  ["no texts", () => tokenizer.tokenize?.([]), /got no text; a string or a list/],
  [
    "texts of several lengths",
    () => tokenizer.tokenize?.(["a", "a b c"]),
    /pass \{ padding: true \}/,
  ],
  [
    "Python's options",
    () => tokenizer.encode?.("a", { add_special_tokens: true }),
    /addSpecialTokens/,
  ],
  [
    "return_tensors",
    () => tokenizer.tokenize?.("a", { return_tensors: "pt" }),
    /no option return_/,
  ],
  [
    "a kind of padding",
    () => tokenizer.tokenize?.("a", { padding: "yes" }),
    /"longest".*got "yes"/,
  ],
  ["no ids", () => tokenizer.decode?.(), /expected token ids, .*got undefined/],
  ["ids not awaited to decode", () => tokenizer.decode?.(later), PROMISE],
  ["a text to decode", () => tokenizer.decode?.("3"), /expected token ids, .*got a string/],
  ["rows to decode", () => tokenizer.decode?.([[3]]), /a list of rows; batchDecode takes those/],
  ["a batch to decode", () => tokenizer.decode?.(inputIds), /batchDecode takes \[rows, sequence\]/],
  ["an output", () => tokenizer.batchDecode?.({ sequences: inputIds }), /pass its sequences/],
  ["a lazy tensor", () => tokenizer.batchDecode?.(inputIds.add(0)), /write await ids\.data\(\)/],
  [
    "skip_special_tokens",
    () => tokenizer.decode?.([3], { skip_special_tokens: true }),
    /skipSpecial/,
  ],
  [
    "a chat that is a text",
    () => tokenizer.applyChatTemplate?.("hi"),
    /a list of messages such as/,
  ],
  ["no part to find", () => findPositions(mini, "The"), /must be a string, got undefined/],
  ["a part that is not there", () => findPositions(mini, "The", "zzz"), /there is no "zzz"/],
  ["the tokenizer last", () => findPositions("The", "T", mini), /first a tokenizer, got a string/],
]);
