// A page as a user writes it, which each bundler builds. Its numbers are compared with Node's.
import {
  AutoTokenizer,
  configureRuntime,
  GPT2LMHeadModel,
  IntervenableModel,
  VanillaIntervention,
} from "tsvene";

const place = new URL("model/", document.baseURI);

async function interchange() {
  if (globalThis.crossOriginIsolated) configureRuntime({ numThreads: 2 });
  const model = await GPT2LMHeadModel.fromPretrained(place);
  const tokenizer = await AutoTokenizer.fromPretrained(place);
  const intervenable = new IntervenableModel(
    { layer: 0, component: "block_output", intervention: VanillaIntervention },
    model,
  );
  const { intervened } = intervenable.forward(tokenizer.tokenize("The capital of Spain is"), {
    sources: tokenizer.tokenize("The capital of Italy is"),
    unitLocations: { "sources->base": 3 },
  });
  return Array.from(await intervened.logits.select(1, -1).data());
}

globalThis.answer = interchange();
// Whoever asks for the answer sees what went wrong.
globalThis.answer.catch(() => undefined);
