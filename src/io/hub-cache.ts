import { isMissing } from "./local-files.ts";
import type { NodeModules } from "./node.ts";
import { writeFileAtomic, type WriteBytes } from "./atomic-file.ts";

function environmentDirectory(node: NodeModules): string {
  const { env, os, path } = node;
  if (env.HF_HUB_CACHE) return env.HF_HUB_CACHE;
  if (env.HF_HOME) return path.join(env.HF_HOME, "hub");
  const base = env.XDG_CACHE_HOME ? env.XDG_CACHE_HOME : path.join(os.homedir(), ".cache");
  return path.join(base, "huggingface", "hub");
}

/**
 * One repository's part of the disk cache, laid out as Python's `huggingface_hub` does it, so that
 * both use one another's downloads: `models--org--name/refs/REVISION` holds a commit, and
 * `models--org--name/snapshots/COMMIT/` its files.
 */
export class HubCache {
  readonly #directory: string;
  readonly #node: NodeModules;

  /** @param cacheDir by default where Python's `huggingface_hub` keeps its downloads. */
  constructor(node: NodeModules, repo: string, cacheDir: string | undefined) {
    const root = cacheDir ?? environmentDirectory(node);
    this.#node = node;
    this.#directory = node.path.join(root, `models--${repo.split("/").join("--")}`);
  }

  /** The commit that a branch or tag named when it was last asked for. */
  async commitOf(revision: string): Promise<string | undefined> {
    try {
      const text = await this.#node.fs.readFile(this.#refPath(revision), "utf8");
      return text.trim();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async rememberCommit(revision: string, commit: string): Promise<void> {
    if ((await this.commitOf(revision)) === commit) return;
    const bytes = new TextEncoder().encode(commit);
    await writeFileAtomic(this.#refPath(revision), (write) => write(bytes));
  }

  /** Where a file lies, or would. */
  pathOf(commit: string, file: string): string {
    return this.#node.path.join(this.#directory, "snapshots", commit, ...file.split("/"));
  }

  async has(commit: string, file: string): Promise<boolean> {
    try {
      return (await this.#node.fs.stat(this.pathOf(commit, file))).isFile();
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Stores a file, whole or not at all. */
  async store(
    commit: string,
    file: string,
    fill: (write: WriteBytes) => Promise<void>,
  ): Promise<void> {
    await writeFileAtomic(this.pathOf(commit, file), fill);
  }

  #refPath(revision: string): string {
    return this.#node.path.join(this.#directory, "refs", ...revision.split("/"));
  }
}
