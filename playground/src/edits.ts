import type { EditedTexts } from "tsvene/worker";
import type { EditPicture, Picture } from "./picture.ts";

/** What can be done, by the name of its class. */
export const INTERVENTIONS = [
  ["ZeroIntervention", "make it zero"],
  ["VanillaIntervention", "put in the first prompt's state"],
  ["AdditionIntervention", "add the first prompt's state"],
  ["SubtractionIntervention", "subtract the first prompt's state"],
  ["NoiseIntervention", "add noise"],
] as const;

/** The call that a picture's interventions are. */
export function editedTexts({
  corrupt,
  clean,
  edits,
}: Pick<Picture, "corrupt" | "clean" | "edits">): EditedTexts {
  const takesSource = ({ intervention }: EditPicture): boolean =>
    !["ZeroIntervention", "NoiseIntervention"].includes(intervention);
  return {
    prompts: corrupt,
    config: edits.map(({ intervention, component, layer }) => ({ intervention, component, layer })),
    ...(edits.some(takesSource) && {
      sources: edits.map((edit) => (takesSource(edit) ? clean : null)),
    }),
    unitLocations: {
      [edits.some(takesSource) ? "sources->base" : "base"]: {
        each: edits.map(({ position }) => (position < 0 ? null : position)),
      },
    },
  };
}
