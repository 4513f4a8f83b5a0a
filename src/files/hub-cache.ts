import { makeDirectory, syncDirectory, writeFileAtomic } from "./atomic-file.ts";
import type { DownloadState, Sink } from "./download.ts";
import { isUnsupported, randomName, withFileLock } from "./file-lock.ts";
import { FileSourceError } from "./file-source-error.ts";
import { hubCacheDirectory } from "./hub-settings.ts";
import { isMissing } from "./local-files.ts";
import { hexOf } from "./sha256.ts";
import type { NodeModules } from "./node.ts";
import { writeError } from "./write-error.ts";

/** The name of a commit, which files and directories of the cache are named by. */
export const COMMIT: RegExp = /^[0-9a-f]{40}$/;
/** Etags that identify one content: the hash of a file in Git, or the SHA-256 of a large one. */
const BLOB = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const COPY_BYTES = 1 << 20;

/** How an etag that identifies a content is computed from it. */
interface HashKind {
  readonly name: string;
  readonly algorithm: "sha256" | "sha1";
  /** What is hashed before the content. */
  readonly before: string;
}

function hashKind({ etag, size }: HubFileInfo): HashKind | undefined {
  if (!BLOB.test(etag)) return undefined;
  if (etag.length === 64) return { name: "SHA-256", algorithm: "sha256", before: "" };
  return { name: "Git hash", algorithm: "sha1", before: `blob ${size}\0` };
}

/** What the Hub says of a file. */
export interface HubFileInfo {
  /** Names its content: for large files, their SHA-256. */
  readonly etag: string;
  /** Bytes of the file. */
  readonly size: number;
}

/** A file that grows while it is downloaded, and whose hash is computed meanwhile. */
class FileSink implements Sink {
  readonly #handle: Awaited<ReturnType<NodeModules["fs"]["open"]>>;
  readonly #newHash: () => ReturnType<NodeModules["crypto"]["createHash"]>;
  #hash: ReturnType<NodeModules["crypto"]["createHash"]>;
  #length = 0;

  constructor(
    { crypto }: NodeModules,
    handle: Awaited<ReturnType<NodeModules["fs"]["open"]>>,
    { algorithm, before }: Pick<HashKind, "algorithm" | "before">,
  ) {
    this.#handle = handle;
    this.#newHash = () => crypto.createHash(algorithm).update(before);
    this.#hash = this.#newHash();
  }

  get length(): number {
    return this.#length;
  }

  /** Takes what an earlier download left as begun. */
  async readOn(): Promise<void> {
    const buffer = new Uint8Array(COPY_BYTES);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, COPY_BYTES, this.#length);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#length += bytesRead;
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const part = chunk.subarray(done);
      done += (await this.#handle.write(part, 0, part.length, this.#length + done)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#length += chunk.length;
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = this.#newHash();
    this.#length = 0;
  }

  /** The hash of all; nothing can be written afterwards. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** Fetches the bytes of a file into a sink, on from what it has. */
export type FetchInto = (sink: Sink, state: DownloadState) => Promise<void>;

/**
 * One repository's part of the disk cache, laid out as Python's `huggingface_hub` does it, so that
 * both use one another's downloads: `models--org--name/refs/REVISION` holds a commit,
 * `models--org--name/snapshots/COMMIT/` its files, which are links to `models--org--name/blobs/`,
 * and `models--org--name/.no_exist/COMMIT/` names of files that it does not have.
 */
export class HubCache {
  readonly #directory: string;
  readonly #locks: string;
  readonly #node: NodeModules;

  /** @param cacheDir by default where Python's `huggingface_hub` keeps its downloads. */
  constructor(node: NodeModules, repo: string, cacheDir: string | undefined) {
    const root = cacheDir ?? hubCacheDirectory(node);
    const folder = `models--${repo.split("/").join("--")}`;
    this.#node = node;
    this.#directory = node.path.join(root, folder);
    this.#locks = node.path.join(root, ".locks", folder);
  }

  /**
   * The commit that a branch or tag named when it was last asked for.
   * @throws {@link FileSourceError} when what is kept there is no commit.
   */
  async commitOf(revision: string): Promise<string | undefined> {
    const path = this.#refPath(revision);
    const text = await this.#node.fs.readFile(path, "utf8").catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    const commit = text?.trim();
    if (commit === undefined || COMMIT.test(commit)) return commit;
    throw new FileSourceError(
      "content",
      `${path} holds ${JSON.stringify(commit.slice(0, 80))}, where the 40 digits of a commit were ` +
        "expected: delete it, and it is downloaded again",
    );
  }

  /** Notes what a revision is; where that cannot be written, it is asked for again another time. */
  async rememberCommit(revision: string, commit: string): Promise<void> {
    if ((await this.commitOf(revision).catch(() => undefined)) === commit) return;
    await this.#note(this.#refPath(revision), commit);
  }

  /** Notes that a commit does not have a file. */
  async rememberMissing(commit: string, file: string): Promise<void> {
    await this.#note(this.#missingPath(commit, file), "");
  }

  /** Whether it is known that a commit does not have a file. */
  async isKnownMissing(commit: string, file: string): Promise<boolean> {
    return this.#isThere(this.#missingPath(commit, file));
  }

  /** Where a file lies, or would. */
  pathOf(commit: string, file: string): string {
    return this.#node.path.join(this.#snapshot(commit), ...file.split("/"));
  }

  /** Whether anything of a commit is there. */
  async hasCommit(commit: string): Promise<boolean> {
    return this.#isThere(this.#snapshot(commit));
  }

  /** Whether a file of a commit is in the cache. */
  async has(commit: string, file: string): Promise<boolean> {
    try {
      return (await this.#node.fs.stat(this.pathOf(commit, file))).isFile();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /**
   * Stores a file, whole or not at all; of several processes one downloads it. What was begun of it
   * and broke off is kept, and gone on with the next time.
   *
   * @throws {@link FileSourceError} when its hash is another than the Hub says.
   */
  async store(
    commit: string,
    file: string,
    info: HubFileInfo,
    { fetch, signal }: { readonly fetch: FetchInto; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const node = this.#node;
    const hasName = BLOB.test(info.etag);
    const name = hasName ? info.etag : randomName();
    const blob = node.path.join(this.#directory, "blobs", name);
    const link = this.pathOf(commit, file);
    try {
      for (const path of [blob, node.path.join(this.#locks, name)]) {
        await makeDirectory(node, node.path.dirname(path));
      }
      const lock = node.path.join(this.#locks, `${name}.tsvene`);
      await withFileLock(
        node,
        lock,
        async () => {
          if (await this.has(commit, file)) return;
          const stat = await node.fs.stat(blob).catch(() => undefined);
          if (stat?.isFile() !== true || stat.size !== info.size) {
            await this.#fill(blob, info, fetch, signal);
          }
          await this.#link(blob, link, hasName);
        },
        signal,
      );
    } catch (error) {
      throw writeError(link, "nothing was kept of it", error);
    }
  }

  async #fill(
    blob: string,
    info: HubFileInfo,
    fetch: FetchInto,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { fs, path } = this.#node;
    // Not the name that Python's client uses: it may be at it at the same time.
    const partial = `${blob}.tsvene.incomplete`;
    const handle = await fs.open(partial, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o666);
    const state: DownloadState = { resumes: BLOB.test(info.etag) };
    try {
      try {
        await this.#fillFrom(handle, info, fetch, state);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await fs.rename(partial, blob);
      await syncDirectory(this.#node, path.dirname(blob));
    } catch (error) {
      const goesOn = error instanceof FileSourceError && error.code === "network";
      if (!goesOn || !state.resumes || signal?.aborted) await fs.rm(partial, { force: true });
      throw error;
    }
  }

  async #fillFrom(
    handle: Awaited<ReturnType<NodeModules["fs"]["open"]>>,
    info: HubFileInfo,
    fetch: FetchInto,
    state: DownloadState,
  ): Promise<void> {
    const kind = hashKind(info);
    const sink = new FileSink(this.#node, handle, kind ?? { algorithm: "sha1", before: "" });
    await sink.readOn();
    if (sink.length > info.size) await sink.restart();
    const begun = sink.length > 0;
    await fetch(sink, state);
    if (kind === undefined) return;
    const found = sink.digest();
    if (found === info.etag) return;
    if (begun) {
      // What was there before may have been the wrong part.
      await handle.truncate(0);
      return this.#fillFrom(handle, info, fetch, state);
    }
    throw wrongHash(kind, found, info.etag);
  }

  /** Puts a link to a blob where the file belongs, or, where there are no links, the blob itself. */
  async #link(blob: string, link: string, isShared: boolean): Promise<void> {
    const { fs, path } = this.#node;
    await makeDirectory(this.#node, path.dirname(link));
    const made = `${link}.${randomName()}.incomplete`;
    try {
      if (isShared) await fs.symlink(path.relative(path.dirname(link), blob), made);
      else await fs.rename(blob, made);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      await fs.rename(blob, made);
    }
    await fs.rename(made, link);
    await syncDirectory(this.#node, path.dirname(link));
  }

  async #note(path: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await writeFileAtomic(path, (write) => write(bytes)).catch(() => undefined);
  }

  async #isThere(path: string): Promise<boolean> {
    return this.#node.fs.stat(path).then(
      () => true,
      () => false,
    );
  }

  #snapshot(commit: string): string {
    return this.#node.path.join(this.#directory, "snapshots", commit);
  }

  #missingPath(commit: string, file: string): string {
    return this.#node.path.join(this.#directory, ".no_exist", commit, ...file.split("/"));
  }

  #refPath(revision: string): string {
    return this.#node.path.join(this.#directory, "refs", ...revision.split("/"));
  }
}

function wrongHash({ name }: HashKind, found: string, wanted: string): FileSourceError {
  return new FileSourceError(
    "content",
    `the ${name} of what came is ${found}, where the Hub says ${wanted}: nothing was kept of it; ` +
      "try again",
  );
}

/** Checks bytes in memory as files are checked, where the platform can. */
export async function checkHash(bytes: Uint8Array, info: HubFileInfo): Promise<void> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  const kind = hashKind(info);
  if (kind === undefined || subtle === undefined) return;
  // Only small files have something before them; large ones are not copied.
  const hashed =
    kind.before === ""
      ? (bytes as Uint8Array<ArrayBuffer>)
      : await new Blob([kind.before, bytes as BlobPart]).arrayBuffer();
  const digest = await subtle.digest(kind.algorithm === "sha1" ? "SHA-1" : "SHA-256", hashed);
  const found = hexOf(new Uint8Array(digest));
  if (found !== info.etag) throw wrongHash(kind, found, info.etag);
}
