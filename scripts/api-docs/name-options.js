// Names of parameters that are taken apart where they are declared, which typedoc has none for.
import { Converter, ReflectionKind } from "typedoc";

/** @param {import("typedoc").Application} app */
export function load(app) {
  const first = Number.MAX_SAFE_INTEGER;
  app.converter.on(
    Converter.EVENT_RESOLVE_BEGIN,
    ({ project }) => {
      for (const signature of project.getReflectionsByKind(ReflectionKind.SomeSignature)) {
        const last = signature.parameters?.at(-1);
        const [unused] = (signature.comment?.blockTags ?? []).filter(
          ({ tag, name }) =>
            tag === "@param" &&
            !name?.includes(".") &&
            !signature.parameters?.some((parameter) => parameter.name === name),
        );
        if (last?.name !== "__namedParameters" || unused !== undefined) continue;
        last.name = signature.name === "forward" ? "inputs" : "options";
      }
    },
    first,
  );
}
