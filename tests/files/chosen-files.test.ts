import { filesChosen, FileSourceError } from "tsvene";
import { describe, expect, test } from "vitest";

const isPage = "document" in globalThis;

/** A file with the place that a file field of directories gives it. */
function fileAt(path: string, content: string): File {
  const file = new File([content], path.slice(path.lastIndexOf("/") + 1));
  return Object.defineProperty(file, "webkitRelativePath", { value: path });
}

describe("filesChosen", () => {
  test("takes a list of files, without the folder that they all lie in", async () => {
    const files = await filesChosen([
      fileAt("models/mine/config.json", "{}"),
      fileAt("models/mine/sub/a.txt", "a"),
      fileAt("models/mine/.cache/b.txt", "b"),
    ]);
    expect(await files.readJson("config.json")).toEqual({});
    expect(await files.readText("sub/a.txt")).toBe("a");
    await expect(files.readText("b.txt")).rejects.toThrow(
      "the chosen files: there is no b.txt among config.json, sub/a.txt",
    );
  });

  test.each([[[]], [[fileAt("a/.hidden", "")]]])("refuses none: %o", async (chosen) => {
    await expect(filesChosen(chosen)).rejects.toThrow("there are no files among what was chosen");
  });

  test.each([undefined, "a", {}, ["a"]])(
    "refuses what is no choice of files: %o",
    async (wrong) => {
      await expect(filesChosen(wrong as never)).rejects.toBeInstanceOf(FileSourceError);
      await expect(filesChosen(wrong as never)).rejects.toThrow("what was dropped, the handle of");
    },
  );

  test.skipIf(!isPage)("takes the handle of a directory", async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("chosen", { create: true });
    const sub = await folder.getDirectoryHandle("sub", { create: true });
    for (const [directory, name] of [
      [folder, "config.json"],
      [sub, "a.json"],
    ] as const) {
      const writer = await (await directory.getFileHandle(name, { create: true })).createWritable();
      await writer.write(JSON.stringify({ name }));
      await writer.close();
    }
    const files = await filesChosen(folder);
    expect(await files.readJson("config.json")).toEqual({ name: "config.json" });
    expect(await files.readJson("sub/a.json")).toEqual({ name: "a.json" });
  });

  test.skipIf(!isPage)("takes what was dropped", async () => {
    const dropped = new DataTransfer();
    dropped.items.add(new File(["{}"], "config.json"));
    dropped.items.add("a text beside it", "text/plain");
    const files = await filesChosen(dropped);
    expect(await files.readText("config.json")).toBe("{}");
  });
});
