import { HubFiles } from "../files/hub-files.ts";
import { HttpFiles } from "../files/http-files.ts";
import type { HubOptions } from "../files/hub-options.ts";
import { type FileContent, MemoryFiles } from "../files/memory-files.ts";
import { openFiles } from "../files/open-files.ts";
import type { FileSource } from "../files/file-source.ts";

/**
 * Where a model lies:
 *
 * - a URL is a directory under it; a text that begins with `/` or `.` is one under the page's address;
 * - any other text is a name as `openFiles` knows it, such as `"organisation/name"`;
 * - `{ hub }` is a model of the Hugging Face Hub, whatever else has that name;
 * - `{ files }` are files by their paths in the model's directory, such as those that a user chose.
 */
export type ModelPlace =
  | string
  | URL
  | { readonly hub: string }
  | {
      /** Contents by path. */
      readonly files: Readonly<Record<string, FileContent>>;
      /** What messages call them. @default "files in memory" */
      readonly name?: string;
    };

/** A place as a message has it. */
export type PlaceData = Exclude<ModelPlace, URL> | { readonly url: string };

/** A place for a worker, whose own address is another than the page's. */
export function packPlace(place: ModelPlace): PlaceData {
  if (place instanceof URL) return { url: place.href };
  if (typeof place !== "string" || !/^[./]/.test(place)) return place;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return base === undefined ? place : { url: new URL(place, base).href };
}

/** The files of a place. */
export async function openModelPlace(place: PlaceData, options: HubOptions): Promise<FileSource> {
  if (typeof place === "string") return openFiles(place, options);
  if ("url" in place) return new HttpFiles(withSlash(place.url), options);
  if ("hub" in place) return new HubFiles(place.hub, options);
  if ("files" in place) return new MemoryFiles(place.files, place.name);
  // Says what it expects.
  return openFiles(place, options);
}

function withSlash(url: string): URL {
  const { href } = new URL(url);
  return new URL(href.endsWith("/") ? href : `${href}/`);
}
