/**
 * Saves files that belong together, in a process that can be killed: `saver DIRECTORY LABEL [N]`
 * kills itself, as nothing can catch, before it asks the file system for the N-th time.
 */
import { writeTogether } from "../../../src/files/write-together.ts";
import { isSuperseded, savedFiles } from "./saved-files.ts";

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const [directory = "", label = "", countdown = "Infinity"] = process.argv.slice(2);
let left = Number(countdown);

function countCalls(object: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const original = object[name] as AnyFunction;
    object[name] = function counted(this: unknown, ...args: unknown[]): unknown {
      if (--left === 0) process.kill(process.pid, "SIGKILL");
      const result = original.apply(this, args);
      if (name !== "open") return result;
      return (result as Promise<Record<string, unknown>>).then((handle) => {
        countCalls(handle, ["write", "sync", "close"]);
        return handle;
      });
    };
  }
}

const fs = process.getBuiltinModule("node:fs/promises") as unknown as Record<string, unknown>;
const calls = Object.keys(fs).filter((name) => typeof fs[name] === "function");
countCalls(fs, calls);
await writeTogether(directory, { files: savedFiles(label), isSuperseded });
console.log("saved");
