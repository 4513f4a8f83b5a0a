import { describeValue } from "../base/describe-value.ts";
import { type OptionNames, wrongOptions } from "../base/known-options.ts";
import { type CardOptions, wrongCardOptions } from "./repository-card.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath } from "./file-source.ts";
import { COMMIT } from "./hub-cache.ts";
import { HUB_ACCESS_OPTIONS, type HubAccessOptions, isHubId } from "./hub-options.ts";

/** Where on the Hugging Face Hub files are put, and how. */
export interface PushOptions extends HubAccessOptions {
  /** `organisation/name` of the repository, or `user/name`; it is made when it is missing. */
  readonly repo: string;
  /**
   * Whether only those with a token that may read it see the repository. One that is there already
   * is not changed: it is an error when it is of the other kind.
   * @default as the organisation has it, which mostly is public; as it is, where it is there
   */
  readonly private?: boolean;
  /**
   * Title of the commit.
   * @default "Upload with tsvene"
   */
  readonly message?: string;
  /**
   * Branch, which is made when it is missing.
   * @default "main"
   */
  readonly revision?: string;
  /**
   * Open a pull request instead of changing the branch.
   * @default false
   */
  readonly createPr?: boolean;
  /**
   * The 40 digits of the commit that this one follows: when the branch has moved on from it, nothing
   * is changed, and that is an error with the code "conflict".
   * @default whichever the branch is at
   */
  readonly parentCommit?: string;
  /** What stands in the repository's card, which is how it is found, beside what is known. */
  readonly card?: CardOptions;
}

/** Names of all options. */
const OPTIONS: OptionNames<PushOptions> = {
  repo: true,
  private: true,
  message: true,
  revision: true,
  createPr: true,
  parentCommit: true,
  card: true,
  ...HUB_ACCESS_OPTIONS,
};

/** What has been put on the Hub. */
export interface Pushed {
  /** `organisation/name` of the repository. */
  readonly repo: string;
  /** The commit: its 40 digits. */
  readonly commit: string;
  /** Page of the commit. */
  readonly url: string;
  /** Page of the pull request, if one was opened. */
  readonly pullRequestUrl: string | undefined;
}

function wrongRepository(repo: unknown): string | undefined {
  if (typeof repo === "string" && repo.includes("/") && isHubId(repo)) return undefined;
  const came = typeof repo === "string" ? JSON.stringify(repo) : describeValue(repo);
  return `repo must be "organisation/name" or "user/name"; got ${came}`;
}

/** What each option must be, where its type alone does not say it. */
function wrongValue(options: PushOptions): string | undefined {
  const { message, parentCommit } = options;
  for (const name of ["private", "createPr"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      return `${name} must be true or false; got ${describeValue(value)}`;
    }
  }
  if (message !== undefined && (typeof message !== "string" || message.trim() === "")) {
    return `message must be the title of a commit; got ${JSON.stringify(message)}`;
  }
  if (parentCommit !== undefined && !COMMIT.test(parentCommit)) {
    return `parentCommit must be the 40 digits of a commit; got ${JSON.stringify(parentCommit)}`;
  }
  const { revision } = options as { readonly revision?: unknown };
  if (revision !== undefined && typeof revision !== "string") {
    return `revision must be the name of a branch; got ${describeValue(revision)}`;
  }
  return wrongCardOptions(options.card);
}

/**
 * @param where - What messages begin with.
 * @throws {@link FileSourceError} with the code "name" for options that cannot be.
 */
export function checkPushOptions(where: string, options: PushOptions): void {
  const wrong =
    wrongOptions(options, OPTIONS) ?? wrongRepository(options.repo) ?? wrongValue(options);
  if (wrong !== undefined) throw new FileSourceError("name", `${where}: ${wrong}`);
  if (options.revision === undefined) return;
  checkRelativePath(options.revision, `${where}: revision`);
}
