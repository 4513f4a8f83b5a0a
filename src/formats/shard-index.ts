import { CheckpointError } from "./checkpoint-error.ts";
import { checkRelativePath } from "../files/file-source.ts";
import { isObject, quote } from "./json-values.ts";

/**
 * Names of tensors and of the files that an index of shards says they are in, from its JSON. Only
 * `weight_map` is looked at: `metadata` is of no use, and often missing.
 *
 * @param where what messages call the index.
 * @throws CheckpointError when it has no names; FileSourceError for a path that leads out.
 */
export function parseShardIndex(index: unknown, where: string): ReadonlyMap<string, string> {
  const weights = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(weights) || Object.keys(weights).length === 0) {
    throw new CheckpointError(
      `${where}: "weight_map" is ${weights === undefined ? "missing" : "not what it should be"}; ` +
        "an object of tensor names and file names was expected, with at least one",
    );
  }
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(weights)) {
    if (typeof file !== "string") {
      throw new CheckpointError(
        `${where}: tensor ${quote(name)} is said to be in ${quote(JSON.stringify(file))}; ` +
          "the name of a file was expected",
      );
    }
    places.set(name, file);
  }
  for (const file of new Set(places.values())) checkRelativePath(file, where);
  return places;
}
