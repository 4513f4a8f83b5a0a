import type { OptionNames } from "../base/known-options.ts";
import type { DownloadOptions } from "./download.ts";

/** How to reach the Hugging Face Hub, and in whose name. */
export interface HubAccessOptions extends DownloadOptions {
  /**
   * Access token (`hf_...`) for private and gated repositories; `false` for none, and `true` to ask
   * for the one that is there. It is sent to the Hub, and to no other server that it leads to.
   * @default the environment variable `HF_TOKEN`, else the token that `hf auth login` keeps
   */
  readonly token?: string | boolean;
  /**
   * URL of the Hub or of a mirror.
   * @default the environment variable `HF_ENDPOINT`, else "https://huggingface.co"
   */
  readonly hubUrl?: string;
}

/** Names of all options. */
export const HUB_ACCESS_OPTIONS: OptionNames<HubAccessOptions> = {
  token: true,
  hubUrl: true,
  onProgress: true,
  signal: true,
  fetch: true,
  timeout: true,
  retries: true,
};

/** How to reach a repository of the Hugging Face Hub. */
export interface HubOptions extends HubAccessOptions {
  /**
   * Branch, tag or commit.
   * @default "main"
   */
  readonly revision?: string;
  /**
   * Directory that downloads are kept in (Node only; a browser keeps its own cache).
   * @default where Python's `huggingface_hub` keeps them: `HF_HUB_CACHE`, else `HF_HOME/hub`, else
   * `~/.cache/huggingface/hub`
   */
  readonly cacheDir?: string;
  /**
   * Use only what is in the cache, and no network.
   * @default false, unless the environment variable `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is
   * 1, ON, YES or TRUE: then it is true in any case
   */
  readonly localFilesOnly?: boolean;
  /**
   * Read large files that are not in the cache part by part over the network, as they are asked for,
   * and keep nothing of them: for somebody who wants their headers alone.
   * @default false: files are downloaded whole, once
   */
  readonly inParts?: boolean;
}

/** Names of all options. */
export const HUB_OPTIONS: OptionNames<HubOptions> = {
  revision: true,
  cacheDir: true,
  localFilesOnly: true,
  inParts: true,
  ...HUB_ACCESS_OPTIONS,
};

const REPOSITORY = /^(?:[\w.-]{1,96}\/)?[\w.-]{1,96}$/;

/** Whether a name could be that of a model on the Hub: `name` or `organisation/name`. */
export function isHubId(name: string): boolean {
  // Two dashes replace the slash in the names of directories of the cache.
  return REPOSITORY.test(name) && !/(?:^|\/)[.-]|[.-](?:\/|$)|--|\.\.|\.git$/.test(name);
}
