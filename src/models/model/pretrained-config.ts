import { FileSourceError } from "../../files/file-source-error.ts";
import type { FileSource } from "../../files/file-source.ts";
import { TsveneError } from "../../base/errors.ts";
import { ModelError } from "../../nn/errors.ts";
import { camelCase, fromConfigJson, type JsonValue, parseConfigJson } from "../settings/config.ts";
import { type GenerationFields, inheritedFields } from "../generation/fields.ts";
import { fromGenerationJson } from "../generation/file.ts";

type Fields = Record<string, JsonValue>;

/** Fields without one, which may be within an object of fields. */
function without(fields: Fields, [name = "", ...path]: readonly string[]): Fields {
  const { [name]: value, ...rest } = fields;
  if (path.length === 0 || typeof value !== "object") return rest;
  return { ...rest, [name]: without(value as Fields, path) };
}

/** Reads a file of settings, and says of what is wrong with it where it lies. */
async function readFields<T>(
  files: FileSource,
  name: string,
  fieldsOf: (json: unknown) => T,
): Promise<T> {
  const text = await files.readText(name);
  try {
    return fieldsOf(parseConfigJson(text, `${files.location}: ${name}`));
  } catch (error) {
    if (!(error instanceof TsveneError) || error instanceof FileSourceError) throw error;
    throw new ModelError(`${files.location}: ${error.message}`, { cause: error });
  }
}

/**
 * The fields of a model's `config.json` under camelCase names.
 * @param ignored names of fields that are left out, such as "text_config.name" of one within.
 */
export async function readConfigFields(
  files: FileSource,
  ignored: readonly string[] = [],
): Promise<Fields> {
  const fields = await readFields(files, "config.json", fromConfigJson);
  return ignored.reduce((kept, name) => without(kept, name.split(".").map(camelCase)), fields);
}

/**
 * The fields of `generation_config.json`; where there is no such file, what a `config.json` of old
 * versions says of generation.
 *
 * @param config - Fields of `config.json`.
 */
export async function readGenerationFields(
  files: FileSource,
  config: GenerationFields,
): Promise<GenerationFields> {
  try {
    return await readFields(files, "generation_config.json", fromGenerationJson);
  } catch (error) {
    if (!(error instanceof FileSourceError) || error.code !== "missing") throw error;
    return inheritedFields(config);
  }
}
