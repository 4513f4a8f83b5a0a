/** Where a kind of file has its mark, and what it is. */
interface Mark {
  readonly at: number;
  readonly bytes: string;
  /** Reads after "this is". */
  readonly kind: string;
}

const EXPORT = "save the weights as safetensors with transformers (model.save_pretrained)";

const MARKS: readonly Mark[] = [
  { at: 0, bytes: "GGUF", kind: `a GGUF file of llama.cpp, which is not read; ${EXPORT}` },
  { at: 0, bytes: "GGML", kind: `a GGML file of llama.cpp, which is not read; ${EXPORT}` },
  { at: 0, bytes: "ggjt", kind: `a GGML file of llama.cpp, which is not read; ${EXPORT}` },
  {
    at: 0,
    bytes: "\x89HDF",
    kind: `an HDF5 file, as TensorFlow writes weights, which is not read; ${EXPORT}`,
  },
  { at: 4, bytes: "TFL3", kind: `a TensorFlow Lite model, which is not read; ${EXPORT}` },
  { at: 0, bytes: "\x93NUMPY", kind: `an array of NumPy (.npy), which is not read; ${EXPORT}` },
  {
    at: 0,
    bytes: "version https://git-lfs",
    kind:
      "a pointer of Git LFS and not the file itself; fetch it with `git lfs pull`, or download it " +
      "again",
  },
  { at: 0, bytes: "<!DOCTYPE", kind: "a web page and not a file of weights; download it again" },
  { at: 0, bytes: "<!doctype", kind: "a web page and not a file of weights; download it again" },
  { at: 0, bytes: "<html", kind: "a web page and not a file of weights; download it again" },
  { at: 0, bytes: "<?xml", kind: "XML and not a file of weights; download it again" },
  { at: 0, bytes: "\x1f\x8b", kind: "packed with gzip; unpack it first" },
  { at: 0, bytes: "\x28\xb5\x2f\xfd", kind: "packed with zstd; unpack it first" },
  { at: 0, bytes: "BZh", kind: "packed with bzip2; unpack it first" },
  { at: 0, bytes: "\xfd7zXZ", kind: "packed with xz; unpack it first" },
  {
    at: 257,
    bytes: "ustar",
    kind: "a tar file, as PyTorch wrote before version 0.2; load it in PyTorch and save it again",
  },
  { at: 0, bytes: "{", kind: "a JSON text and not a file of weights" },
];

/** Bytes from the beginning of a file that {@link fileKind} looks at. */
export const KIND_BYTES = 264;

function hasMark(head: Uint8Array, { at, bytes }: Mark): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (head[at + i] !== bytes.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * What a file that is no safetensors and no PyTorch file is instead, as the end of a sentence that
 * begins "this is"; undefined for what is not known.
 *
 * @param head its first {@link KIND_BYTES} bytes, or all of a shorter one.
 */
export function fileKind(head: Uint8Array): string | undefined {
  return MARKS.find((mark) => hasMark(head, mark))?.kind;
}

/** Whether a file is one of `torch.save` by its beginning, whatever it is called. */
export function isTorchHead(head: Uint8Array): boolean {
  if (head[0] === 0x50 && head[1] === 0x4b) return true;
  // A safetensors file, too, may begin with this byte; its header follows after 8 of them.
  return head[0] === 0x80 && head[8] !== 0x7b;
}
