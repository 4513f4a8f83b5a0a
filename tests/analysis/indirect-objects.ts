import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLanguageModel,
  type ContrastData,
  contrastPairs,
  Generator,
} from "tsvene";

const NAMES = "Mary Anna Emma Alice Lucy Sarah Julia Laura Kate Jane Rose John Tom James Peter Paul David Mark Jack Sam Ben Max".split(" "); // prettier-ignore

/** tsvene-mini, and pairs of sentences that end with whom something is given to. */
export async function indirectObjects(
  count: number,
): Promise<{ readonly model: CausalLanguageModel; readonly pairs: ContrastData }> {
  const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
  const names = NAMES.filter((name) => tokenizer.encode(` ${name}`).length === 1);
  const generator = new Generator(0);
  const pairs = Array.from({ length: count }, () => {
    const first = generator.integer(names.length);
    const second = (first + 1 + generator.integer(names.length - 1)) % names.length;
    const [a, b] = [names[first] ?? "", names[second] ?? ""];
    const text = (who: string): string =>
      `When ${a} and ${b} went to the store, ${who} gave a drink to`;
    return { clean: text(b), corrupt: text(a), right: ` ${a}`, wrong: ` ${b}` };
  });
  return { model, pairs: contrastPairs(tokenizer, pairs) };
}
