import { FileSourceError, type FileSource } from "../io/file-source.ts";
import { TensorError } from "../tensor/errors.ts";
import { fromConfigJson, type JsonValue } from "./config.ts";

/** The fields of a model's `config.json` under camelCase names. */
export async function readConfigFields(files: FileSource): Promise<Record<string, JsonValue>> {
  try {
    return fromConfigJson(await files.readJson("config.json"));
  } catch (error) {
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
