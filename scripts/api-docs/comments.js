// What the reference says of members that have no comment of their own in the sources.
import { Comment, Converter, ReflectionKind } from "typedoc";

/** Members that every class of models has: a hundred classes would each say the same of them. */
const OF_MODEL_CLASSES = new Map([
  ["family", "How checkpoints of the family are read; see `ModelFamily`."],
  ["auto", "Name of the auto class that finds the class."],
  ["card", "The model's components by name, and where each is; see `ModelCard`."],
  ["~components", "Names of the model's components, for the compiler alone: no model has it."],
]);

/** @param {import("typedoc").Application} app */
export function load(app) {
  // After typedoc-plugin-missing-exports has added what is not exported.
  const last = Number.MIN_SAFE_INTEGER;
  app.converter.on(
    Converter.EVENT_RESOLVE_BEGIN,
    ({ project }) => {
      for (const member of project.getReflectionsByKind(ReflectionKind.Property)) {
        const text = OF_MODEL_CLASSES.get(member.name);
        if (text !== undefined) member.comment ??= new Comment([{ kind: "text", text }]);
      }
    },
    last,
  );

  // The comment of what has a type that is written in place also says what is in it.
  app.converter.on(Converter.EVENT_END, ({ project }) => {
    const inPlace = project
      .getReflectionsByKind(ReflectionKind.Property)
      .filter((reflection) => !reflection.hasComment() && isInPlace(reflection))
      .map((reflection) => reflection.getFriendlyFullName());
    app.options.setValue("intentionallyNotDocumented", [...new Set(inPlace)]);
  });
}

/** Whether a property is in a type that has no name, and is looked at: those of parameters are not. */
function isInPlace({ parent }) {
  if (parent?.name !== "__type") return false;
  const { parent: owner } = parent;
  // An alias of one object type is like an interface.
  if (owner?.kindOf(ReflectionKind.TypeAlias) && owner.type?.declaration === parent) return false;
  for (let at = parent; at !== undefined; at = at.parent) {
    if (at.kindOf(ReflectionKind.Parameter)) return false;
  }
  return true;
}
