import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { Parameter } from "../../nn/parameter.ts";
import type { TrainedParameter } from "../loop/trained-parameters.ts";

/** What of an aligned model is trained. */
export type TrainedParts = "interventions" | "model" | "both" | Iterable<Parameter>;

/** The parameters that are meant, each with its name and its kind. */
export function partsToTrain(
  op: string,
  aligned: IntervenableModel,
  parts: TrainedParts,
): readonly TrainedParameter[] {
  if (parts === "interventions") return ofInterventions(op, aligned);
  if (parts === "model") return ofModel(aligned);
  if (parts === "both") return [...ofInterventions(op, aligned), ...ofModel(aligned)];
  if (typeof parts !== "object" || parts === null || !(Symbol.iterator in parts)) {
    fail(op, `parameters must be "interventions", "model", "both" or a list, got ${shown(parts)}`);
  }
  const known = new Map(
    [...named(aligned), ...ofModel(aligned)].map((one) => [one.parameter, one]),
  );
  return [...parts].map((parameter, i) => {
    if (!(parameter instanceof Parameter)) {
      fail(op, `parameters must be of the class Parameter, got ${describeValue(parameter)}`);
    }
    const name = parameter.name ?? `parameter ${i}`;
    return known.get(parameter) ?? { name, group: "others", parameter };
  });
}

function ofInterventions(op: string, aligned: IntervenableModel): readonly TrainedParameter[] {
  const trainable = new Set(aligned.trainableParameters());
  const found = named(aligned).filter(({ parameter }) => trainable.has(parameter));
  if (found.length > 0) return found;
  const kinds = [...aligned.interventions].map(([, { constructor }]) => constructor.name);
  return fail(
    op,
    `there is nothing to train: ${[...new Set(kinds)].join(", ")} has no parameters to be learned; use ` +
      'one that has, such as RotatedSpaceIntervention, or train the model: parameters: "model"',
  );
}

/** Parameters of interventions under the names that the aligned model calls them by. */
function named({ interventions }: IntervenableModel): readonly TrainedParameter[] {
  return [...interventions].flatMap(([name, intervention]) =>
    [...intervention.namedParameters()].map(([path, parameter]) => {
      const [property = ""] = path.split(".");
      const group = intervention.parameterKinds[property] ?? "others";
      // Decay moves a rotation towards where it began, and makes the signs of directions zero.
      return { name: `${name}.${path}`, group, parameter, decays: group !== "rotation" };
    }),
  );
}

function ofModel({ model }: IntervenableModel): readonly TrainedParameter[] {
  return [...model.namedParameters()].map(([path, parameter]) => {
    return { name: `model.${path}`, group: "model", parameter };
  });
}
