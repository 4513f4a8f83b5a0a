import { describeValue } from "../base/describe-value.ts";
import { FileSourceError } from "./file-source-error.ts";
import { MemoryFiles } from "./memory-files.ts";

/** A directory that a page was given a handle of, as far as it is read. */
interface Directory {
  readonly kind: "directory";
  readonly name: string;
  values(): AsyncIterable<
    Directory | { readonly kind: "file"; readonly name: string; getFile(): Promise<File> }
  >;
}

/** What a user of a page chooses files with. */
export type ChosenFiles = DataTransfer | FileSystemDirectoryHandle | Iterable<File>;

/** More files than a model has: a home directory that was dropped by mistake is not read through. */
const MOST_FILES = 10_000;

type Found = Map<string, File>;

function add(found: Found, path: string, file: File): void {
  if (found.size >= MOST_FILES) {
    const message = `filesChosen: there are more than ${MOST_FILES} files; choose the model's directory`;
    throw new FileSourceError("name", message);
  }
  found.set(path, file);
}

async function readHandle(directory: Directory, before: string, found: Found): Promise<void> {
  for await (const part of directory.values()) {
    const path = `${before}${part.name}`;
    if (part.kind === "directory") await readHandle(part, `${path}/`, found);
    else add(found, path, await part.getFile());
  }
}

async function readEntry(entry: FileSystemEntry, before: string, found: Found): Promise<void> {
  const path = `${before}${entry.name}`;
  if (entry.isFile) {
    const one = entry as FileSystemFileEntry;
    add(found, path, await new Promise<File>((done, failed) => one.file(done, failed)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives the entries in parts, and none at the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((done, failed) => {
      reader.readEntries(done, failed);
    });
    if (part.length === 0) return;
    for (const inner of part) await readEntry(inner, `${path}/`, found);
  }
}

/** Entries and files are asked for at once: what was dropped is only there until the event is over. */
async function readDropped(dropped: DataTransfer, found: Found): Promise<void> {
  const parts = Array.from(dropped.items, (item) => item.webkitGetAsEntry() ?? item.getAsFile());
  for (const part of parts) {
    if (part instanceof File) add(found, part.name, part);
    else if (part !== null) await readEntry(part, "", found);
  }
}

/** Leaves out the directories that all paths begin with, and hidden files. */
function withoutCommonFolder(found: Found): Record<string, File> {
  const files = [...found].filter(
    ([path]) => !path.split("/").some((part) => part.startsWith(".")),
  );
  const [first = ""] = files.map(([path]) => path);
  let folder = first.slice(0, first.lastIndexOf("/") + 1);
  while (!files.every(([path]) => path.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
  }
  return Object.fromEntries(files.map(([path, file]) => [path.slice(folder.length), file]));
}

function isIterable(chosen: object): chosen is Iterable<unknown> {
  return Symbol.iterator in chosen;
}

/**
 * The files that a user of a page has chosen: dropped on it (files and folders), picked as a
 * directory, or in a file field. Nothing is read but their names; a model reads what it needs of them,
 * and none of it leaves the page.
 *
 * Paths are relative to the innermost folder that all of them lie in. Hidden files are left out.
 *
 * @param chosen `event.dataTransfer` of a `drop`, to be passed before anything is awaited; what
 * `showDirectoryPicker()` gives; or the `files` of an `<input type="file" webkitdirectory>`.
 * @throws {@link FileSourceError} for anything else, and where there are no files, or 10,000.
 *
 * @example
 * ```ts no-run
 * import { AutoModelForCausalLM } from "tsvene";
 * document.body.addEventListener("drop", async (event) => {
 *   event.preventDefault();
 *   const files = await filesChosen(event.dataTransfer);
 *   const model = await AutoModelForCausalLM.fromPretrained(files);
 * });
 * ```
 */
export async function filesChosen(chosen: ChosenFiles | null): Promise<MemoryFiles> {
  const found: Found = new Map();
  if (typeof chosen !== "object" || chosen === null) throw notChosen(chosen);
  if ("items" in chosen && !isIterable(chosen)) {
    await readDropped(chosen, found);
  } else if ("kind" in chosen) {
    await readHandle(chosen, "", found);
  } else {
    if (!isIterable(chosen)) throw notChosen(chosen);
    for (const file of chosen as Iterable<unknown>) {
      if (!(file instanceof File)) throw notChosen(file);
      add(found, file.webkitRelativePath === "" ? file.name : file.webkitRelativePath, file);
    }
  }
  const files = withoutCommonFolder(found);
  if (Object.keys(files).length > 0) return new MemoryFiles(files, "the chosen files");
  throw new FileSourceError("missing", "filesChosen: there are no files among what was chosen");
}

function notChosen(value: unknown): FileSourceError {
  const wanted = "what was dropped, the handle of a directory, or a list of files";
  return new FileSourceError(
    "name",
    `filesChosen: ${wanted} was expected, got ${describeValue(value)}`,
  );
}
