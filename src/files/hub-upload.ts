import type { CommitOperation, CommitOutput } from "@huggingface/hub";
import type { ByteSource } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath } from "./file-source.ts";
import { backOff } from "./http-request.ts";
import { HubAccess } from "./hub-access.ts";
import { COMMIT } from "./hub-cache.ts";
import { isOffline } from "./hub-settings.ts";
import { nodeModules } from "./node.ts";
import { checkPushOptions, type Pushed, type PushOptions } from "./push-options.ts";
import { isMadeCard } from "./repository-card.ts";
import { SourceBlob } from "./source-blob.ts";
import { UploadAttempt } from "./upload-attempt.ts";
import { Refusal, UploadRequests, type UploadTarget } from "./upload-requests.ts";

/** Files that a repository gets in one commit. */
export interface UploadedFiles {
  /** Content by path; read part by part, twice where it is large. */
  readonly files: ReadonlyMap<string, ByteSource>;
  /** Names of files of an earlier upload that go when there is no new one of that name. */
  readonly isSuperseded?: ((name: string) => boolean) | undefined;
  /** The `README.md`, where neither `files` nor the repository has one that somebody wrote. */
  readonly card?: string | undefined;
}

/** A branch as it is now. */
interface Head {
  readonly commit: string;
  readonly paths: readonly string[];
}

const README = "README.md";
/** How often an upload is repeated because others have uploaded meanwhile. */
const MOST_CONFLICTS = 5;

/** One upload to a repository of the Hugging Face Hub, whose options have been checked. */
export class HubUpload {
  /** `organisation/name`. */
  readonly repo: string;
  readonly #target: UploadTarget;
  readonly #branch: string;
  readonly #requests: UploadRequests;

  private constructor(target: UploadTarget) {
    const { repo, revision = "main" } = target.options;
    this.repo = repo;
    this.#target = target;
    this.#branch = revision;
    this.#requests = new UploadRequests(target);
  }

  get #options(): PushOptions {
    return this.#target.options;
  }

  /**
   * Checks options, and that there is a token; asks nobody.
   * @param caller what messages begin with.
   * @param where what messages about the options begin with.
   * @throws {@link FileSourceError} when it cannot be done.
   */
  static async prepare(
    caller: string,
    options: PushOptions,
    where: string = `${caller}: pushToHub`,
  ): Promise<HubUpload> {
    checkPushOptions(where, options);
    const offline = isOffline(nodeModules());
    if (offline) {
      const message = `${caller}: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to upload`;
      throw new FileSourceError("network", message);
    }
    const access = new HubAccess(options);
    const site = await access.site();
    // Somebody's own fetch may sign requests in a way of its own.
    if (site.sent === undefined && options.fetch === undefined) {
      throw new FileSourceError(
        "unauthorized",
        `${caller}: an upload needs a token: make one that may write at ` +
          `${access.url}/settings/tokens, and log in with \`hf auth login\`, set the environment ` +
          "variable HF_TOKEN or pass it as `token`",
      );
    }
    return new HubUpload({ caller, access, site, options });
  }

  /**
   * Puts files into the repository, all in one commit: whoever reads it has all old ones or all new
   * ones. Large files go straight to where the Hub keeps such, no more than a part of each in memory.
   * When others upload at the same time, one upload comes after the other.
   *
   * @throws {@link FileSourceError} when it cannot be done: the branch is as it was then. With the
   * code "conflict" when it has moved on from the `parentCommit` asked for, or the repository is
   * public where a private one was asked for, or the other way round.
   */
  async upload(uploaded: UploadedFiles): Promise<Pushed> {
    const where = `${this.#target.caller}: upload to ${this.repo}`;
    for (const path of uploaded.files.keys()) checkRelativePath(path, where);
    return this.#target.access.asking(where, async () => {
      for (let attempt = 0; ; attempt++) {
        this.#options.signal?.throwIfAborted();
        const head = await this.#ready();
        try {
          return await this.#commit(head, uploaded);
        } catch (error) {
          const isLast = this.#options.parentCommit !== undefined || attempt >= MOST_CONFLICTS;
          if (!(error instanceof Refusal) || error.code !== "conflict" || isLast) throw error;
        }
        await backOff(attempt, 0, this.#options.signal);
      }
    });
  }

  /** The branch as it is; repository and branch are made when they are missing. */
  async #ready(): Promise<Head> {
    try {
      return await this.#head();
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "missing") throw error;
      if (error.reason === "RevisionNotFound") await this.#createBranch();
      else if (this.#options.createPr === true) throw error;
      else await this.#createRepository();
    }
    return this.#head().catch(async (error: unknown) => {
      if (!(error instanceof Refusal) || error.reason !== "RevisionNotFound") throw error;
      await this.#createBranch();
      return this.#head();
    });
  }

  async #head(): Promise<Head> {
    const { modelInfo } = await import("#hub");
    const {
      sha,
      filePaths: paths,
      private: isPrivate,
    } = await modelInfo({
      name: this.repo,
      revision: this.#branch,
      additionalFields: ["sha", "filePaths"],
      hubUrl: this.#target.access.url,
      fetch: this.#requests.fetchFor(`look up ${this.repo}`),
    });
    if (typeof sha !== "string" || !COMMIT.test(sha) || !Array.isArray(paths)) {
      throw new Error("a commit and its files were expected");
    }
    this.#checkVisibility(isPrivate);
    return { commit: sha, paths: paths.filter((path) => typeof path === "string") };
  }

  #checkVisibility(isPrivate: unknown): void {
    const wanted = this.#options.private;
    if (wanted === undefined || isPrivate === wanted) return;
    const [is, was] = wanted ? ["public", "private"] : ["private", "public"];
    throw new FileSourceError(
      "conflict",
      `${this.#target.caller}: ${this.repo} is there and is ${is}, where a ${was} one was asked for: ` +
        `change that at ${this.#target.access.url}/${this.repo}/settings, leave out \`private\`, or take ` +
        "another name; nothing was uploaded",
    );
  }

  async #createRepository(): Promise<void> {
    const { createRepo } = await import("#hub");
    const { private: isPrivate } = this.#options;
    const created = createRepo({
      repo: { type: "model", name: this.repo },
      // The token is sent by what is given as fetch.
      accessToken: "",
      ...(isPrivate !== undefined && { visibility: isPrivate ? "private" : "public" }),
      hubUrl: this.#target.access.url,
      fetch: this.#requests.fetchFor(`create ${this.repo}`),
    });
    await created.catch(this.#unlessThere);
  }

  async #createBranch(): Promise<void> {
    const { createBranch } = await import("#hub");
    const created = createBranch({
      repo: { type: "model", name: this.repo },
      branch: this.#branch,
      hubUrl: this.#target.access.url,
      fetch: this.#requests.fetchFor(`make the branch ${this.#branch} of ${this.repo}`),
    });
    await created.catch(this.#unlessThere);
  }

  /** Somebody else may have made it at the same time. */
  readonly #unlessThere = (error: unknown): void => {
    if (!(error instanceof Refusal) || error.code !== "conflict") throw error;
  };

  async #operations(
    head: Head,
    { files, isSuperseded = () => false, card }: UploadedFiles,
    attempt: UploadAttempt,
  ): Promise<CommitOperation[]> {
    const contents = new Map<string, Blob>();
    for (const [path, source] of files) {
      contents.set(path, new SourceBlob(attempt.sourceOf(source), { name: path }));
    }
    if (card !== undefined && !files.has(README) && (await this.#mayReplaceCard(head))) {
      contents.set(README, new Blob([card]));
    }
    const old = head.paths.filter((path) => !contents.has(path) && isSuperseded(path));
    return [
      ...Array.from(contents, ([path, content]) => ({
        operation: "addOrUpdate" as const,
        path,
        content,
      })),
      ...old.map((path) => ({ operation: "delete" as const, path })),
    ];
  }

  async #mayReplaceCard({ commit, paths }: Head): Promise<boolean> {
    if (!paths.includes(README)) return true;
    const url = `${this.#target.access.url}/${this.repo}/resolve/${commit}/${README}`;
    const response = await this.#requests.fetchFor(`read the ${README} of ${this.repo}`)(url);
    return isMadeCard(await response.text());
  }

  async #commit(head: Head, uploaded: UploadedFiles): Promise<Pushed> {
    const { commitIter } = await import("#hub");
    const { signal, createPr = false, message = "Upload with tsvene" } = this.#options;
    const attempt = new UploadAttempt(signal);
    const ask = this.#requests.fetchFor(`upload to ${this.repo}`, attempt.signal);
    try {
      const operations = await this.#operations(head, uploaded, attempt);
      const steps = commitIter({
        repo: { type: "model", name: this.repo },
        title: message,
        operations,
        branch: this.#branch,
        isPullRequest: createPr,
        parentCommit: this.#options.parentCommit ?? head.commit,
        hubUrl: this.#target.access.url,
        fetch: (input, init) => attempt.part(() => ask(input, init)),
        // It would chunk and pack in memory: 128 MiB for each of five files at a time.
        useXet: false,
      });
      const output = await Promise.race([attempt.failed, lastOf(steps)]);
      this.#sayAll(operations);
      return this.#pushed(output);
    } finally {
      attempt.end();
    }
  }

  /** What went with the commit itself, or was there already. */
  #sayAll(operations: readonly CommitOperation[]): void {
    for (const operation of operations) {
      if (operation.operation !== "addOrUpdate" || !(operation.content instanceof Blob)) continue;
      const { size } = operation.content;
      this.#options.onProgress?.({ file: operation.path, loaded: size, total: size });
    }
  }

  #pushed(output: CommitOutput | undefined): Pushed {
    const { oid, url } = output?.commit ?? {};
    if (typeof oid !== "string" || typeof url !== "string") {
      throw new Error("the commit that was made was expected");
    }
    return { repo: this.repo, commit: oid, url, pullRequestUrl: output?.pullRequestUrl };
  }
}

async function lastOf<T>(iterator: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) return value;
  }
}
