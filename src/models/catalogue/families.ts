import { ModelError } from "../../nn/errors.ts";
import type { AutoModels, AutoName, FoundClass, ModelClass, ModelFamily } from "../model/family.ts";
import type { JsonValue } from "../settings/config.ts";
import * as catalogue from "./catalogue.ts";

type Catalogue = typeof catalogue;

/** Does not compile where a class is none that the auto class which it names may give out. */
const EXPORTS: {
  readonly [Name in keyof Catalogue]: Catalogue[Name] extends { readonly auto: infer A }
    ? A extends AutoName
      ? ModelClass<AutoModels[A]>
      : never
    : unknown;
} = catalogue;

/** The classes of a family that auto classes find, each by the name of its auto class. */
export interface FoundFamily {
  readonly family: ModelFamily;
  readonly models: { readonly [Name in AutoName]?: FoundClass<Name> };
}

/** All families that the auto classes know, from the classes in the catalogue. */
export const FAMILIES: readonly FoundFamily[] = found(Object.values(EXPORTS).filter(isFound));

function isFound(value: unknown): value is FoundClass {
  return typeof value === "function" && "auto" in value && "family" in value;
}

function found(classes: readonly FoundClass[]): readonly FoundFamily[] {
  const families = new Map<string, FoundFamily>();
  for (const one of classes) {
    const { family, auto } = one;
    const key = `${family.modelType} ${String(family.architectures)}`;
    const known = families.get(key) ?? { family, models: {} };
    families.set(key, { ...known, models: { ...known.models, [auto]: one } });
  }
  return [...families.values()];
}

/** Hugging Face's names of the families that can be loaded. */
export function knownFamilies(): string[] {
  return [...new Set(FAMILIES.map(({ family }) => family.modelType))].sort();
}

/**
 * The family of a `config.json`: that of its `model_type`; among several of one type, that of its
 * class.
 * @throws ModelError naming the known ones.
 */
export function familyOf(
  { modelType, architectures }: Readonly<Record<string, JsonValue>>,
  where: string,
): FoundFamily {
  const name = Array.isArray(architectures) ? String(architectures[0]) : "";
  const ofType = FAMILIES.filter(({ family }) => family.modelType === modelType);
  const entry =
    ofType.find(({ family }) => family.architectures?.test(name)) ??
    ofType.find(({ family }) => family.architectures === undefined);
  if (entry !== undefined) return entry;
  const given =
    modelType === undefined
      ? "config.json has no model_type, so that its family is not known"
      : `the model is of ${JSON.stringify(modelType)}, which is not a known family`;
  throw new ModelError(`${where}: ${given}; known are ${knownFamilies().join(", ")}`);
}
