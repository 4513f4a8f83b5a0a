import { drawingFrom, type Generator } from "../tensor/random/generator.ts";
import { Intervention, type InterventionClass } from "./intervention.ts";

/**
 * Another intervention of the same class and size, with parameters as they are at first and as many
 * dimensions drawn at random: what a learned one is compared with.
 *
 * @returns undefined where there is nothing to draw: nothing is learned, and all dimensions are changed.
 */
export function randomized(
  intervention: Intervention,
  generator: Generator,
): Intervention | undefined {
  if (!intervention.trainable && !choosesDimensions(intervention)) return undefined;
  const Kind = intervention.constructor as InterventionClass;
  const drawn = drawingFrom(generator, () => new Kind(Intervention.optionsOf(intervention)));
  const { interchangeDim, temperature } = intervention;
  if (interchangeDim !== undefined) drawn.setInterchangeDim(interchangeDim);
  if (temperature !== undefined) drawn.temperature?.set(temperature.value);
  drawn.takeSize?.(intervention, generator);
  return drawn;
}

/** Whether it changes some dimensions and not others, which others could stand for. */
function choosesDimensions(intervention: Intervention): boolean {
  const { interchangeDim, embedDim } = intervention;
  if (!("takeSize" in intervention) || interchangeDim === undefined) return false;
  return Array.isArray(interchangeDim) || interchangeDim !== embedDim;
}
