import { FileSourceError } from "../io/file-source-error.ts";
import type { FileSource } from "../io/file-source.ts";
import { TensorError } from "../tensor/errors.ts";
import { fromConfigJson, type JsonValue, parseConfigJson } from "./config.ts";

/** The fields of a model's `config.json` under camelCase names. */
export async function readConfigFields(files: FileSource): Promise<Record<string, JsonValue>> {
  const text = await files.readText("config.json");
  try {
    return fromConfigJson(parseConfigJson(text));
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
export async function readGenerationFields(files: FileSource): Promise<Record<string, JsonValue>> {
  try {
    return fromConfigJson(await files.readJson("generation_config.json"));
  } catch (error) {
    if (error instanceof FileSourceError && error.code === "missing") return {};
    throw error;
  }
}
