import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { CHROMIUM } from "../browser/chromium.ts";

/** Where distributions put the files of Chromium; those of a link lie beside what it names. */
const FOLDERS = ["/usr/lib/chromium", "/usr/lib/chromium-browser"];

/** Keeps a library in the process although Node, which finds no addon in it, closes it again. */
const RTLD_NODELETE = 0x1000;

function find(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const own = CHROMIUM === undefined ? [] : [path.dirname(realpathSync(CHROMIUM))];
  return [...own, ...FOLDERS].find((folder) =>
    ["libvulkan.so.1", "vk_swiftshader_icd.json"].every((file) =>
      existsSync(path.join(folder, file)),
    ),
  );
}

/** Chromium's Vulkan that computes on the processor, in place of this machine's: undefined without one. */
export const SOFTWARE_VULKAN: string | undefined = find();

/** Has WebGPU in this process find Chromium's Vulkan: what is loaded already is not looked for again. */
export function loadSoftwareVulkan(folder: string): void {
  process.env["VK_ICD_FILENAMES"] = path.join(folder, "vk_swiftshader_icd.json");
  try {
    const flags = constants.dlopen.RTLD_NOW | RTLD_NODELETE;
    process.dlopen({ exports: {} }, path.join(folder, "libvulkan.so.1"), flags);
  } catch (error) {
    if (!String(error).includes("did not self-register")) throw error;
  }
}
