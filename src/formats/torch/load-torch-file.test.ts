import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../tensor/tensor.ts";
import { loadTorchFile, type TorchValue } from "./load-torch-file.ts";
import { encodeTorchFile } from "./save-torch-file.ts";
import { TorchFileError } from "./torch-file-error.ts";

const FILES = "tests/goldens/torch_files";
const MODELS = "../shared/models";

type Described = Readonly<Record<string, unknown>>;

interface Golden {
  readonly load: "ok" | "reject" | "either";
  readonly content?: Described;
}

interface DescribedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean | string)[];
  readonly bits_u16?: readonly number[];
}

const { files } = JSON.parse(await readFile(`${FILES}/expected.json`, "utf8")) as {
  files: Readonly<Record<string, Golden>>;
};

/** Python writes "inf" and "nan". */
function asNumber(value: number | boolean | string): number {
  return Number(typeof value === "string" ? value.replace("inf", "Infinity") : value);
}

async function checkTensor(value: TorchValue | undefined, wanted: DescribedTensor): Promise<void> {
  if (!(value instanceof Tensor)) throw new Error("a tensor was wanted");
  expect(value.dtype).toBe(wanted.dtype === "int16" ? "int32" : wanted.dtype);
  expect(value.shape).toEqual(wanted.shape);
  const data = Array.from(await value.data(), Number);
  expect(data).toEqual(wanted.bits_u16 ?? wanted.values.map(asNumber));
}

async function check(value: TorchValue | undefined, wanted: Described): Promise<void> {
  const [kind = "", content] = Object.entries(wanted)[0] ?? [];
  if (kind === "tensor") return checkTensor(value, content as DescribedTensor);
  if (kind === "value" || kind === "size") {
    expect(value).toEqual(content);
    return;
  }
  if (kind === "dict" || kind === "ordered_dict") {
    const pairs = content as [string | number, Described][];
    if (!(value instanceof Map)) throw new Error("a Map was wanted");
    expect([...value.keys()]).toEqual(pairs.map(([key]) => key));
    for (const [key, inner] of pairs) await check(value.get(key), inner);
    return;
  }
  if (kind !== "list" && kind !== "tuple") throw new Error(`unknown kind ${kind}`);
  const items = content as Described[];
  if (!Array.isArray(value)) throw new Error("an array was wanted");
  expect(value.length).toBe(items.length);
  for (const [i, inner] of items.entries()) await check(value[i] as TorchValue, inner);
}

describe("loadTorchFile", () => {
  const load = (name: string): Promise<TorchValue> => loadTorchFile(`${FILES}/${name}`);
  const readable = Object.entries(files).filter(
    ([name, { load }]) => load !== "reject" && name !== "complex.bin",
  );
  it.each(readable)("reads %s as Python does", async (name, { content = {} }) => {
    await check(await loadTorchFile(`${FILES}/${name}`), content);
    await check(await loadTorchFile(await readFile(`${FILES}/${name}`)), content);
  });

  it.each(readable)("reads %s again after it was written here", async (name, { content = {} }) => {
    await check(await loadTorchFile(await encodeTorchFile(await load(name))), content);
  });

  const rejected = Object.entries(files).filter(([, { load }]) => load === "reject");
  it.each(rejected)("refuses %s", async (name) => {
    await expect(loadTorchFile(`${FILES}/${name}`)).rejects.toBeInstanceOf(TorchFileError);
  });

  it("says which name of Python it does not run, and that complex numbers are not read", async () => {
    await expect(load("reject_print.bin")).rejects.toThrow("__builtin__.print");
    await expect(load("reject_os_getcwd.bin")).rejects.toThrow("posix.getcwd");
    await expect(load("reject_module_zip.bin")).rejects.toThrow("save model.state_dict()");
    await expect(load("reject_short_storage.bin")).rejects.toThrow("bytes, wanted");
    await expect(load("complex.bin")).rejects.toThrow("torch.view_as_real");
  });

  it.each(["state_dict_zip.bin", "strided_legacy.bin", "deflated_zip.bin"])(
    "refuses %s cut off anywhere",
    async (name) => {
      const bytes = await readFile(`${FILES}/${name}`);
      for (let end = 0; end < bytes.length; end += 13) {
        await expect(loadTorchFile(bytes.subarray(0, end))).rejects.toBeInstanceOf(TorchFileError);
      }
    },
  );

  it.skipIf(!existsSync(MODELS))("reads files found in the wild", async () => {
    const direction = `${MODELS}/interventions/refusal_direction/qwen-1_8b-chat/direction.pt`;
    const value = await loadTorchFile(direction);
    expect(value instanceof Tensor && [value.dtype, value.shape]).toEqual(["float64", [2048]]);
    const shifts = await loadTorchFile(
      `${MODELS}/interventions/pyvene_honest_llama2_chat_7B_o_proj_add_activations.bin`,
    );
    if (!(shifts instanceof Map)) throw new Error("a Map was wanted");
    expect([...shifts.keys()]).toEqual(Array.from({ length: 32 }, (_, i) => i));
    const resnet = await loadTorchFile(`${MODELS}/cifar10/resnet20-12fca82f.th`);
    if (!(resnet instanceof Map)) throw new Error("a Map was wanted");
    expect(resnet.get("state_dict")).toBeInstanceOf(Map);
    for (const name of ["gpt_by_hand_ckpt.pt", "llama2xs-ckpt.pt"]) {
      expect(await loadTorchFile(`${MODELS}/torch-checkpoints/${name}`)).toBeInstanceOf(Map);
    }
  });
});
