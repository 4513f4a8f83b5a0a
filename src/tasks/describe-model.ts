import { cardOf } from "../models/model/bound-card.ts";
import type { ModelForTexts } from "./perform-task.ts";
import type { ModelDescription } from "./tasks.ts";

/** What can be named in a model. */
export function describeModel({ model, tokenizer }: ModelForTexts): ModelDescription {
  const card = cardOf(model);
  const components = [...(card?.components ?? [])].map(([name, { heads, dimension }]) => ({
    name,
    heads,
    dimension,
  }));
  return {
    className: model.constructor.name,
    layers: card?.layers ?? 0,
    components,
    parameters: model.parameters().reduce((sum, { numel }) => sum + numel, 0),
    vocabulary: tokenizer.vocabSize,
  };
}
