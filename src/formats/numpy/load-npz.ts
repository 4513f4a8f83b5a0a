import { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "../../files/byte-source.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import type { DType } from "../../tensor/dtype.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { ZipArchive } from "../torch/zip.ts";

/** What NumPy calls element types that tensors have, and how their bytes are read. */
const ELEMENTS: Readonly<
  Record<string, { readonly dtype: DType; readonly of: (bytes: ArrayBuffer) => ArrayLike<number> }>
> = {
  "<f4": { dtype: "float32", of: (bytes) => new Float32Array(bytes) },
  "<f8": { dtype: "float64", of: (bytes) => new Float64Array(bytes) },
  "<i4": { dtype: "int32", of: (bytes) => new Int32Array(bytes) },
};

/**
 * Reads all arrays of NumPy's `np.savez` and `np.savez_compressed`, in the order in which they lie in the
 * file: float32, float64 and int32.
 *
 * @param file a path (Node only), the file's content, or what reads its bytes, which is left open.
 * @returns tensors by name.
 * @throws FileSourceError for what is no such file, other element types and columns first.
 *
 * @example
 * ```ts no-run
 * const tensors = await loadNpz("params.npz");
 * console.log(tensors.get("W_enc")?.shape);
 * ```
 */
export async function loadNpz(
  file: string | ArrayBuffer | Uint8Array | Blob | ByteSource,
): Promise<Map<string, Tensor>> {
  const source = await opened(file);
  try {
    const archive = await ZipArchive.open(source);
    const tensors = new Map<string, Tensor>();
    for (const member of archive.members.values()) {
      const bytes = await archive.read(member);
      tensors.set(member.name.replace(/\.npy$/, ""), arrayIn(bytes, source, member.name));
    }
    return tensors;
  } finally {
    if (source !== file) await source.close();
  }
}

async function opened(
  file: string | ArrayBuffer | Uint8Array | Blob | ByteSource,
): Promise<ByteSource> {
  if (typeof file === "string") return openFile(file);
  if (file instanceof Blob) return bytesOfBlob(file, "NumPy blob");
  if (file instanceof Uint8Array || file instanceof ArrayBuffer) {
    return bytesInMemory(file, "NumPy bytes");
  }
  return file;
}

const MAGIC = "\x93NUMPY";

/** The array of one member: a header, which is a Python dict, and the numbers. */
function arrayIn(bytes: Uint8Array, { name }: ByteSource, member: string): Tensor {
  const refuse = (what: string): never => {
    throw new FileSourceError("content", `${name}: ${JSON.stringify(member)} ${what}`);
  };
  if (latin1(bytes.subarray(0, 6)) !== MAGIC || bytes.length < 12) refuse("is no array of NumPy");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [isLong, begin] = bytes[6] === 1 ? [false, 10] : [true, 12];
  const end = begin + (isLong ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = latin1(bytes.subarray(begin, end));
  const kind = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
  const element = ELEMENTS[kind];
  if (element === undefined) {
    return refuse(`has numbers of kind "${kind}"; ${Object.keys(ELEMENTS).join(", ")} are read`);
  }
  if (!/'fortran_order':\s*False/.test(header)) refuse("is stored by columns; save it by rows");
  const count = shape.reduce((product, size) => product * size, 1);
  const size = count * Number(kind.slice(2));
  if (bytes.length - end !== size) refuse(`has not the ${size} bytes that its shape needs`);
  return Tensor.fromData(element.of(bytes.slice(end).buffer) as Float32Array, shape, element.dtype);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
