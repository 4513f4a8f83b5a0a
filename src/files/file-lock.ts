import { FileSourceError } from "./file-source-error.ts";
import { errorCode, isMissing } from "./local-files.ts";
import type { NodeModules } from "./node.ts";

/** Milliseconds without a sign of life after which the holder of a lock counts as dead. */
const STALE_AFTER = 60_000;
const SIGN_OF_LIFE_EVERY = 5_000;
const LONGEST_WAIT = 50;

/** 64 random bits in hexadecimal digits, for names that nobody else uses. */
export function randomName(): string {
  const bits = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  return bits.toString(16).padStart(16, "0");
}

/** What is known of the holder of a lock. */
interface Holder {
  /** `PID.RANDOM@PLACE`; the place is where the process id means something. */
  readonly text: string;
  /** When it last gave a sign of life, by the clock of the file system. */
  readonly seen: number;
}

/**
 * Where process ids mean what they mean here: this machine since it was started, in this container.
 */
async function place({ fs, os }: NodeModules): Promise<string> {
  const boot = await fs.readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const space = await fs.readlink("/proc/self/ns/pid").catch(() => "");
  return [os.hostname(), boot.trim(), space].join(" ").replace(/[^\w.-]+/g, "-");
}

async function holderOf({ fs }: NodeModules, path: string): Promise<Holder | undefined> {
  try {
    const { mtimeMs } = await fs.lstat(path);
    const text = await fs.readlink(path).catch(async (error: unknown) => {
      if (errorCode(error) !== "EINVAL" && errorCode(error) !== "UNKNOWN") throw error;
      return fs.readFile(path, "utf8");
    });
    return { text, seen: mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== "ESRCH";
  }
}

function isDead({ text, seen }: Holder, here: string): boolean {
  if (Date.now() - seen > STALE_AFTER) return true;
  const [owner = "", where] = text.split("@");
  return where === here && !isAlive(Number.parseInt(owner, 10));
}

/** Makes the lock; false when somebody has it. */
async function create({ fs }: NodeModules, path: string, text: string): Promise<boolean> {
  try {
    // A link is made with what it says in one step, so no lock is ever seen without its holder.
    await fs.symlink(text, path).catch(async (error: unknown) => {
      if (!isUnsupported(error)) throw error;
      await fs.writeFile(path, text, { flag: "wx" });
    });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** The lock that is had while a dead holder's is taken away. */
function guardOf(path: string): string {
  return `${path}.removal`;
}

/** Takes away what a process left that was killed while it took a lock away. */
async function removeDeadGuard(node: NodeModules, guard: string, here: string): Promise<void> {
  const holder = await holderOf(node, guard);
  if (holder !== undefined && isDead(holder, here)) await node.fs.rm(guard, { force: true });
}

/** Takes the lock of a dead holder away; one process at a time, so that no living one loses his. */
async function removeDead(
  node: NodeModules,
  path: string,
  { text, here }: { readonly text: string; readonly here: string },
): Promise<void> {
  const found = await holderOf(node, path);
  if (found === undefined || !isDead(found, here)) return;
  const guard = guardOf(path);
  if (!(await create(node, guard, text))) {
    await removeDeadGuard(node, guard, here);
    return;
  }
  try {
    if ((await holderOf(node, path))?.text === found.text) await node.fs.rm(path, { force: true });
  } finally {
    await node.fs.rm(guard, { force: true });
  }
}

/** True for errors that mean that the file system, or the user, cannot make such links. */
export function isUnsupported(error: unknown): boolean {
  const unsupported = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "EMLINK", "UNKNOWN"];
  return unsupported.includes(errorCode(error) ?? "");
}

/**
 * Does something that only one process may do at a time, by a lock in the file system. The lock of a
 * process that was killed is taken away: at once when it ran on this machine, else after a minute
 * without a sign of life.
 *
 * @param path where the lock is made; its directory must be there.
 * @param work gets a function that throws when the lock was lost, as after a minute's sleep of the
 * machine: to be called before what cannot be undone.
 * @param signal stops to wait for the lock.
 */
export async function withFileLock<T>(
  node: NodeModules,
  path: string,
  work: (stillHeld: () => Promise<void>) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const here = await place(node);
  const text = `${process.pid}.${randomName()}@${here}`;
  for (let wait = 2; !(await create(node, path, text)); wait = Math.min(2 * wait, LONGEST_WAIT)) {
    signal?.throwIfAborted();
    await removeDead(node, path, { text, here });
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
  }
  await removeDeadGuard(node, guardOf(path), here);
  const isHeld = async (): Promise<boolean> => (await holderOf(node, path))?.text === text;
  const signs = setInterval(() => {
    const now = new Date();
    node.fs.lutimes(path, now, now).catch(() => undefined);
  }, SIGN_OF_LIFE_EVERY);
  signs.unref();
  try {
    return await work(async () => {
      if (await isHeld()) return;
      throw new FileSourceError(
        "system",
        `the lock ${path} was lost to another process; try again`,
      );
    });
  } finally {
    clearInterval(signs);
    if (await isHeld()) await node.fs.rm(path, { force: true });
  }
}
