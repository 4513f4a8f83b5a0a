import { FileSourceError } from "../io/file-source-error.ts";
import type { FileSource } from "../io/file-source.ts";
import { TensorError } from "../tensor/errors.ts";
import { camelCase, fromConfigJson, type JsonValue, parseConfigJson } from "./config.ts";

type Fields = Record<string, JsonValue>;

/** Fields without one, which may be within an object of fields. */
function without(fields: Fields, [name = "", ...path]: readonly string[]): Fields {
  const { [name]: value, ...rest } = fields;
  if (path.length === 0 || typeof value !== "object") return rest;
  return { ...rest, [name]: without(value as Fields, path) };
}

/**
 * The fields of a model's `config.json` under camelCase names.
 * @param ignored names of fields that are left out, such as "text_config.name" of one within.
 */
export async function readConfigFields(
  files: FileSource,
  ignored: readonly string[] = [],
): Promise<Fields> {
  const text = await files.readText("config.json");
  try {
    const fields = fromConfigJson(parseConfigJson(text));
    return ignored.reduce((kept, name) => without(kept, name.split(".").map(camelCase)), fields);
  } catch (error) {
    if (error instanceof SyntaxError) {
      const message = `${files.location}: config.json is not valid JSON: ${error.message}`;
      throw new FileSourceError("content", message, { cause: error });
    }
    if (!(error instanceof TensorError)) throw error;
    throw new TensorError(`${files.location}: ${error.message}`, { cause: error });
  }
}

/** The fields of `generation_config.json`; none where there is no such file. */
export async function readGenerationFields(files: FileSource): Promise<Fields> {
  try {
    return fromConfigJson(await files.readJson("generation_config.json"));
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return {};
    throw error;
  }
}
