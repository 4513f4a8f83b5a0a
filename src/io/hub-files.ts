import type * as hub from "@huggingface/hub";
import type { OptionNames } from "../tensor/known-options.ts";
import { type ByteSource, bytesInMemory, openFile } from "./byte-source.ts";
import { bodyOf, collect, type DownloadOptions, fetchFor } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";
import { HubCache } from "./hub-cache.ts";
import { nodeModules } from "./node.ts";

type FileInfo = hub.FileDownloadInfoOutput;

/** How to reach a repository of the Hugging Face Hub. */
export interface HubOptions extends DownloadOptions {
  /**
   * Branch, tag or commit.
   * @default "main"
   */
  readonly revision?: string;
  /**
   * Access token (`hf_...`) for private and gated repositories.
   * @default the environment variable `HF_TOKEN`
   */
  readonly token?: string;
  /**
   * Directory that downloads are kept in (Node only; a browser keeps its own cache).
   * @default where Python's `huggingface_hub` keeps them: `HF_HUB_CACHE`, else `HF_HOME/hub`, else
   * `~/.cache/huggingface/hub`
   */
  readonly cacheDir?: string;
  /**
   * Use only what is in the cache, and no network.
   * @default false
   */
  readonly localFilesOnly?: boolean;
  /**
   * URL of the Hub or of a mirror.
   * @default the environment variable `HF_ENDPOINT`, else "https://huggingface.co"
   */
  readonly hubUrl?: string;
}

/** Names of all options. */
export const HUB_OPTIONS: OptionNames<HubOptions> = {
  revision: true,
  token: true,
  cacheDir: true,
  localFilesOnly: true,
  hubUrl: true,
  onProgress: true,
  signal: true,
  fetch: true,
};

const COMMIT = /^[0-9a-f]{40}$/;
const REPOSITORY = /^(?:[\w.-]+\/)?[\w.-]+$/;

/** Whether a name could be that of a model on the Hub: `name` or `organisation/name`. */
export function isHubId(name: string): boolean {
  return REPOSITORY.test(name) && !/(?:^|\/)\.+(?:\/|$)/.test(name);
}

/**
 * A model repository of the Hugging Face Hub, at one commit: a branch is resolved once, so that all
 * files fit together. In Node a file is downloaded once and then read from the cache; when the Hub
 * cannot be reached, the commit that the branch had last is used if the cache knows it.
 */
export class HubFiles extends FileSource {
  readonly location: string;
  readonly #repo: string;
  readonly #revision: string;
  readonly #options: HubOptions;
  readonly #hubUrl: string;
  readonly #token: string | undefined;
  readonly #cache: HubCache | undefined;
  readonly #downloads = new Map<string, Promise<void>>();
  #commit: Promise<string> | undefined;

  /** @param repo `organisation/name`, or `name` for the oldest models. */
  constructor(repo: string, options: HubOptions = {}) {
    super();
    if (!isHubId(repo)) {
      throw new FileSourceError(
        "name",
        `${JSON.stringify(repo)} is not the id of a model on the Hugging Face Hub; ` +
          '"organisation/name" was expected',
      );
    }
    const node = nodeModules();
    this.#repo = repo;
    this.#revision = options.revision ?? "main";
    checkRelativePath(this.#revision, `revision of ${repo}`);
    this.#options = options;
    this.#hubUrl = (options.hubUrl ?? node?.env.HF_ENDPOINT ?? "https://huggingface.co").replace(
      /\/+$/,
      "",
    );
    this.#token = options.token ?? node?.env.HF_TOKEN;
    this.#cache = node === undefined ? undefined : new HubCache(node, repo, options.cacheDir);
    this.location = `Hugging Face Hub repository ${repo} (revision ${this.#revision})`;
  }

  async exists(path: string): Promise<boolean> {
    checkRelativePath(path, this.location);
    const commit = await this.#resolveCommit();
    if (await this.#cache?.has(commit, path)) return true;
    if (this.#options.localFilesOnly) return false;
    return (await this.#lookUp(path, commit)) !== undefined;
  }

  async openRange(path: string): Promise<ByteSource> {
    checkRelativePath(path, this.location);
    const commit = await this.#resolveCommit();
    if (this.#cache === undefined) {
      const info = await this.#mustHave(path, commit);
      const bytes = await collect(this.#chunks(path, info), info.size);
      return bytesInMemory(bytes, `${this.#repo}/${path}`);
    }
    if (!(await this.#cache.has(commit, path))) await this.#downloadOnce(path, commit, this.#cache);
    return openFile(this.#cache.pathOf(commit, path));
  }

  async #downloadOnce(path: string, commit: string, cache: HubCache): Promise<void> {
    const running = this.#downloads.get(path);
    if (running !== undefined) return running;
    const download = this.#download(path, commit, cache).finally(() =>
      this.#downloads.delete(path),
    );
    this.#downloads.set(path, download);
    return download;
  }

  async #download(path: string, commit: string, cache: HubCache): Promise<void> {
    const info = await this.#mustHave(path, commit);
    await cache.store(commit, path, async (write) => {
      for await (const chunk of this.#chunks(path, info)) await write(chunk);
    });
  }

  async *#chunks(path: string, info: FileInfo): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> =
      this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
    const request = fetchFor(`download ${path} of ${this.#repo}`, this.#options);
    const response = await request(info.url, { headers });
    if (!response.ok) {
      await response.body?.cancel();
      throw this.#refused(path, response.status, response.statusText);
    }
    yield* bodyOf(response, path, info.size, this.#options);
  }

  async #mustHave(path: string, commit: string): Promise<FileInfo> {
    if (this.#options.localFilesOnly) {
      throw new FileSourceError(
        "missing",
        `${this.location}: ${path} is not in the cache, and localFilesOnly forbids to download it`,
      );
    }
    const info = await this.#lookUp(path, commit);
    if (info !== undefined) return info;
    throw new FileSourceError("missing", `${this.location} has no file ${path}`);
  }

  async #lookUp(path: string, commit: string): Promise<FileInfo | undefined> {
    const { fileDownloadInfo } = await import("@huggingface/hub");
    const info = await this.#asking(path, () =>
      fileDownloadInfo({
        repo: { type: "model", name: this.#repo },
        path,
        revision: commit,
        ...this.#access(`download ${path} of ${this.#repo}`),
      }),
    );
    return info ?? undefined;
  }

  #resolveCommit(): Promise<string> {
    // A failure is not kept: the next call may find the network again.
    this.#commit ??= this.#findCommit().catch((error: unknown) => {
      this.#commit = undefined;
      throw error;
    });
    return this.#commit;
  }

  async #findCommit(): Promise<string> {
    if (COMMIT.test(this.#revision)) return this.#revision;
    if (this.#options.localFilesOnly) {
      const cached = await this.#cache?.commitOf(this.#revision);
      if (cached !== undefined) return cached;
      throw new FileSourceError(
        "missing",
        `${this.location} is not in the cache, and localFilesOnly forbids to download it`,
      );
    }
    try {
      const commit = await this.#askCommit();
      await this.#cache?.rememberCommit(this.#revision, commit);
      return commit;
    } catch (error) {
      const offline = error instanceof FileSourceError && error.code === "network";
      const cached = offline ? await this.#cache?.commitOf(this.#revision) : undefined;
      if (cached === undefined) throw error;
      return cached;
    }
  }

  async #askCommit(): Promise<string> {
    const { modelInfo } = await import("@huggingface/hub");
    const { sha } = await this.#asking(undefined, () =>
      modelInfo({
        name: this.#repo,
        revision: this.#revision,
        additionalFields: ["sha"],
        ...this.#access(`look up ${this.#repo}`),
      }),
    );
    if (typeof sha === "string" && COMMIT.test(sha)) return sha;
    throw new FileSourceError(
      "system",
      `${this.location}: the Hub answered ${JSON.stringify(sha)} where a commit was expected`,
    );
  }

  #access(purpose: string): { fetch: typeof fetch; hubUrl: string; accessToken?: string } {
    const access = { fetch: fetchFor(purpose, this.#options), hubUrl: this.#hubUrl };
    return this.#token === undefined ? access : { ...access, accessToken: this.#token };
  }

  /** Turns the Hub client's errors into ones that say what to do. */
  async #asking<T>(path: string | undefined, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof FileSourceError) throw error;
      this.#options.signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof Error && "statusCode" in error) {
        throw this.#refused(path, Number(error.statusCode), reason, error);
      }
      throw new FileSourceError("system", `${this.location}: ${reason}`, { cause: error });
    }
  }

  #refused(path: string | undefined, status: number, reason: string, cause?: unknown): Error {
    const what = path === undefined ? this.location : `${this.location}: ${path}`;
    if (status === 404) {
      return new FileSourceError(
        "missing",
        `${what} was not found: there is no such repository or revision on the Hub, and no ` +
          `directory ${this.#repo} here (${reason})`,
        { cause },
      );
    }
    if (status === 401 || status === 403) {
      return new FileSourceError(
        "unauthorized",
        `${what} was refused with status ${status}: the repository does not exist, is private or ` +
          `is gated; if it exists, pass a token that may read it as \`token\` (${reason})`,
        { cause },
      );
    }
    return new FileSourceError("system", `${what} was answered with status ${status} (${reason})`, {
      cause,
    });
  }
}
