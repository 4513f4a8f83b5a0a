import { warn } from "../base/warn.ts";
import { type ByteSource, bytesInMemory, openFile } from "./byte-source.ts";
import { type Download, download, MemorySink } from "./download.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";
import { encodePath } from "./http-files.ts";
import { type Answer, askServer, dismiss, isUnavailable, statusError } from "./http-request.ts";
import { HubAccess, type HubQuestion, type HubSite } from "./hub-access.ts";
import { describedFile, headersOnly } from "./hub-answers.ts";
import { checkHash, COMMIT, HubCache, type HubFileInfo } from "./hub-cache.ts";
import { type HubOptions, isHubId } from "./hub-options.ts";
import { isOffline } from "./hub-settings.ts";
import { nodeModules } from "./node.ts";
import { redact } from "./redact.ts";
import { openRemoteParts } from "./remote-parts.ts";

/** Bytes of a file from which on it pays to read parts of it alone. */
const LEAST_IN_PARTS = 1 << 20;

/** What asks for a file, or for a part of it. */
interface Requests {
  /** Path within the repository. */
  readonly file: string;
  /** What no message may say. */
  readonly secrets: readonly string[];
  /** Asks for bytes `begin` to `end` (exclusive), or to the last; for all without. */
  readonly ask: (begin?: number, end?: number) => Promise<Answer>;
}

/** What a repository has at one commit. */
export interface RepositoryListing {
  /** The commit: its 40 digits. */
  readonly commit: string;
  /** Paths of all files, sorted. */
  readonly paths: readonly string[];
}

/**
 * A model repository of the Hugging Face Hub, at one commit: a branch is resolved once, so that all
 * files fit together. In Node a file is downloaded once and then read from the cache; when the Hub
 * cannot be reached or is out of order, the commit that the branch had last is used if the cache
 * knows it, and files that the cache does not have count as not there. That is said once.
 */
export class HubFiles extends FileSource {
  override readonly repository: string;
  readonly #repo: string;
  readonly #revision: string;
  readonly #options: HubOptions;
  readonly #access: HubAccess;
  readonly #offline: boolean;
  readonly #cache: HubCache | undefined;
  readonly #downloads = new Map<string, Promise<void>>();
  #commit: Promise<string> | undefined;
  /** Why the Hub could not be had, when the cache is used instead. */
  #fallback: string | undefined;

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
    this.repository = repo;
    this.#revision = options.revision ?? "main";
    checkRelativePath(this.#revision, `revision of ${repo}`);
    this.#options = options;
    this.#offline = options.localFilesOnly === true || isOffline(node);
    this.#access = new HubAccess(options);
    this.#cache = node === undefined ? undefined : new HubCache(node, repo, options.cacheDir);
  }

  get location(): string {
    const cached = this.#fallback === undefined ? "" : ", as the cache has it without the Hub";
    return `Hugging Face Hub repository ${this.#repo} (revision ${this.#revision}${cached})`;
  }

  async exists(path: string): Promise<boolean> {
    checkRelativePath(path, this.location);
    const commit = await this.#resolveCommit();
    if (await this.#cache?.has(commit, path)) return true;
    if (this.#offline || this.#fallback !== undefined) return false;
    if (await this.#cache?.isKnownMissing(commit, path)) return false;
    try {
      return (await this.#lookUp(path, commit)) !== undefined;
    } catch (error) {
      if (!isUnavailable(error) || !(await this.#cache?.hasCommit(commit))) throw error;
      this.#fallBack(commit, error);
      return false;
    }
  }

  async openRange(path: string): Promise<ByteSource> {
    checkRelativePath(path, this.location);
    const commit = await this.#resolveCommit();
    const parts = this.#options.inParts === true ? await this.#openParts(path, commit) : undefined;
    if (parts !== undefined) return parts;
    if (this.#cache === undefined) {
      const info = await this.#mustHave(path, commit);
      const sink = new MemorySink(info.size);
      await download(await this.#downloadOf(path, commit, info), sink, this.#options);
      const bytes = await sink.bytes();
      await this.#checked(path, () => checkHash(bytes, info));
      return bytesInMemory(bytes, `${this.#repo}/${path}`);
    }
    if (!(await this.#cache.has(commit, path))) await this.#downloadOnce(path, commit, this.#cache);
    return openFile(this.#cache.pathOf(commit, path));
  }

  /** A large file that is not in the cache, if the server sends parts of it. */
  async #openParts(path: string, commit: string): Promise<ByteSource | undefined> {
    if (await this.#cache?.has(commit, path)) return undefined;
    const { size } = await this.#mustHave(path, commit);
    if (size < LEAST_IN_PARTS) return undefined;
    const { ask, file, secrets } = await this.#requestsOf(path, commit);
    const name = `${this.#repo}/${path}`;
    return openRemoteParts({ file, name, size, secrets, ask }, this.#options);
  }

  /**
   * The commit that files are read of, and the paths of all of its files; the Hub is asked for them,
   * as the cache knows only of files that somebody has wanted.
   * @throws {@link FileSourceError} without the Hub, and for a path that is not a plain relative one.
   */
  async list(): Promise<RepositoryListing> {
    const commit = await this.#resolveCommit();
    if (this.#offline) {
      const message = `${this.location}: only the Hub has the list of files, and ${this.#whyOffline()} to ask it`;
      throw new FileSourceError("network", message);
    }
    const { filePaths } = await this.#askInfo(commit);
    const isList = Array.isArray(filePaths);
    if (!isList || !filePaths.every((path): path is string => typeof path === "string")) {
      throw new FileSourceError("system", `${this.location}: the Hub answered no list of files`);
    }
    for (const path of filePaths) checkRelativePath(path, this.location);
    return { commit, paths: filePaths.toSorted() };
  }

  async #downloadOnce(path: string, commit: string, cache: HubCache): Promise<void> {
    const running = this.#downloads.get(path);
    if (running !== undefined) return running;
    const started = this.#download(path, commit, cache).finally(() => this.#downloads.delete(path));
    this.#downloads.set(path, started);
    return started;
  }

  async #download(path: string, commit: string, cache: HubCache): Promise<void> {
    const info = await this.#mustHave(path, commit);
    const what = await this.#downloadOf(path, commit, info);
    await this.#checked(path, () =>
      cache.store(commit, path, info, {
        fetch: (sink, state) => download(what, sink, this.#options, state),
        signal: this.#options.signal,
      }),
    );
  }

  /** Says of which file it is that the content is wrong. */
  async #checked(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FileSourceError) || error.code !== "content") throw error;
      throw new FileSourceError("content", `${this.location}: ${path}: ${error.message}`);
    }
  }

  async #downloadOf(path: string, commit: string, { size }: HubFileInfo): Promise<Download> {
    const { ask, ...file } = await this.#requestsOf(path, commit);
    return { ...file, size, ask: (from) => (from > 0 ? ask(from) : ask()) };
  }

  /** What asks for bytes `begin` to `end` (exclusive) of a file; for all without. */
  async #requestsOf(path: string, commit: string): Promise<Requests> {
    const site = await this.#access.site();
    const url = `${this.#access.url}/${this.#repo}/resolve/${commit}/${encodePath(path)}`;
    const purpose = `download ${path} of ${this.#repo}`;
    const ask = async (begin?: number, end?: number): Promise<Answer> => {
      const headers: Record<string, string> = { "Accept-Encoding": "identity" };
      if (begin !== undefined) {
        headers["Range"] = `bytes=${begin}-${end === undefined ? "" : end - 1}`;
      }
      const answer = await askServer({ url, headers, site, purpose }, this.#options);
      const { ok, status } = answer.response;
      if (ok || (status === 416 && begin !== undefined)) return answer;
      await dismiss(answer);
      throw this.#refused(path, answer.response, site);
    };
    return { file: path, secrets: site.secrets, ask };
  }

  async #mustHave(path: string, commit: string): Promise<HubFileInfo> {
    if (this.#offline) {
      throw new FileSourceError(
        "missing",
        `${this.location}: ${path} is not in the cache, and ${this.#whyOffline()} to download it`,
      );
    }
    const info = await this.#lookUp(path, commit);
    if (info !== undefined) return info;
    throw new FileSourceError("missing", `${this.location} has no file ${path}`);
  }

  #whyOffline(): string {
    const said = this.#options.localFilesOnly === true;
    return said ? "localFilesOnly forbids" : "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids";
  }

  async #lookUp(path: string, commit: string): Promise<HubFileInfo | undefined> {
    const { fileDownloadInfo } = await import("#hub");
    const question: HubQuestion = {
      purpose: `download ${path} of ${this.#repo}`,
      ask: headersOnly,
      isAnswer: ({ status, headers }) =>
        status === 404 && headers.get("x-error-code") === "EntryNotFound",
      refused: (response, site) => this.#refused(path, response, site),
      redirected: describedFile,
    };
    const info = await this.#access.asking(`${this.location}: ${path}`, async () =>
      fileDownloadInfo({
        repo: { type: "model", name: this.#repo },
        path: encodePath(path),
        revision: commit,
        hubUrl: this.#access.url,
        fetch: await this.#access.fetchFor(question),
      }),
    );
    if (info === null) {
      await this.#cache?.rememberMissing(commit, path);
      return undefined;
    }
    return { etag: info.etag.replace(/^(?:W\/)?"(.*)"$/, "$1"), size: info.size };
  }

  #resolveCommit(): Promise<string> {
    // A failure is not kept: the next call may find the network again.
    this.#commit ??= this.#findCommit().catch(async (error: unknown) => {
      this.#commit = undefined;
      throw await this.#withoutDirectory(error);
    });
    return this.#commit;
  }

  /** Says, of a repository that cannot be had, that no directory of that name is there either. */
  async #withoutDirectory(error: unknown): Promise<unknown> {
    const node = nodeModules();
    if (!(error instanceof FileSourceError) || error.code === "system" || node === undefined) {
      return error;
    }
    const path = node.path.resolve(this.#repo);
    if (await node.fs.stat(path).catch(() => undefined)) return error;
    const message = `${error.message}; there is no directory ${path} either`;
    return new FileSourceError(error.code, message, { cause: error });
  }

  async #findCommit(): Promise<string> {
    if (COMMIT.test(this.#revision)) return this.#revision;
    if (this.#offline) {
      const cached = await this.#cache?.commitOf(this.#revision);
      if (cached !== undefined) return cached;
      throw new FileSourceError(
        "missing",
        `${this.location} is not in the cache, and ${this.#whyOffline()} to download it`,
      );
    }
    try {
      const commit = await this.#askCommit();
      await this.#cache?.rememberCommit(this.#revision, commit);
      return commit;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const cached = await this.#cache?.commitOf(this.#revision);
      if (cached === undefined) throw error;
      this.#fallBack(cached, error);
      return cached;
    }
  }

  #fallBack(commit: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#fallback = reason;
    const what = `what the cache has of ${this.#repo}, at commit ${commit.slice(0, 12)}, is used`;
    warn("HubFiles", `${what}: ${reason}`);
  }

  async #askCommit(): Promise<string> {
    const { sha } = await this.#askInfo(this.#revision);
    if (typeof sha === "string" && COMMIT.test(sha)) return sha;
    throw new FileSourceError(
      "system",
      `${this.location}: the Hub answered ${JSON.stringify(sha)?.slice(0, 100)} where a commit was ` +
        "expected",
    );
  }

  async #askInfo(
    revision: string,
  ): Promise<{ readonly sha: unknown; readonly filePaths: unknown }> {
    const { modelInfo } = await import("#hub");
    const question: HubQuestion = {
      purpose: `look up ${this.#repo}`,
      refused: (response, site) => this.#refused(undefined, response, site),
    };
    return this.#access.asking(this.location, async () =>
      modelInfo({
        name: this.#repo,
        revision,
        additionalFields: ["sha", "filePaths"],
        hubUrl: this.#access.url,
        fetch: await this.#access.fetchFor(question),
      }),
    );
  }

  #refused(path: string | undefined, response: Response, site: HubSite): FileSourceError {
    const { status } = response;
    const what = path === undefined ? this.location : `${this.location}: ${path}`;
    const code = response.headers.get("x-error-code");
    const said = redact(
      response.headers.get("x-error-message") ?? response.statusText,
      site.secrets,
    );
    if (code === "GatedRepo") {
      return new FileSourceError(
        "unauthorized",
        `${what} was refused with status ${status}: the repository is gated; ask for access at ` +
          `${this.#access.url}/${this.#repo}, and pass a token of yours as \`token\` (${said})`,
      );
    }
    if (status === 404) {
      return new FileSourceError(
        "missing",
        `${what} was not found: there is no such repository or revision on the Hub (${said})`,
      );
    }
    if (status === 401 || status === 403) {
      const token = site.sent === undefined ? "no token was sent" : `${site.sent} was refused`;
      return new FileSourceError(
        "unauthorized",
        `${what} was refused with status ${status}: the repository does not exist, is private or ` +
          `is gated, and ${token}; if it exists, pass a token that may read it as \`token\`, or ` +
          `log in with \`hf auth login\` (${said})`,
      );
    }
    return statusError(what, response, site);
  }
}
