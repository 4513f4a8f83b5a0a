import { type ByteSource, partsOf } from "../../files/byte-source.ts";
import { fileKind, KIND_BYTES } from "../../files/file-kind.ts";
import { rawItemsize, type RawData, type RawTensor } from "../raw-tensor.ts";
import { budgetsOf } from "./budget.ts";
import { PickleCursor } from "./pickle-cursor.ts";
import {
  bytesNeeded,
  isContiguous,
  type TensorView,
  type TorchStorage,
  viewToRaw,
} from "./tensor-view.ts";
import { PickleEndError, TorchFileError } from "./torch-file-error.ts";
import { checkPlain, type MakeTensor, torchHost } from "./torch-names.ts";
import { unpickle } from "./unpickle.ts";
import { ZipArchive, type ZipMember } from "./zip.ts";

/** First of the pickles of a file in the format before PyTorch 1.6. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
const FIRST_READ = 4 << 20;
/** Bytes that a packed data.pkl may unpack to in any case. */
const LEAST_PICKLE = 4 << 20;

/** A file of `torch.save` whose pickle has been read; its numbers are read when asked for. */
export interface TorchFile {
  /** What was saved, with tensors as `make` makes them. */
  value(make: MakeTensor): unknown;
  /** All storages by key. */
  readonly storages: ReadonlyMap<string, TorchStorage>;
  /** Bytes `begin` to `end` of a storage, in a buffer if one is given. */
  readStorage(key: string, begin: number, end: number, into?: Uint8Array): Promise<Uint8Array>;
  /** Whether a part of a storage is read without reading the rest of it. */
  hasParts(key: string): boolean;
}

/** The numbers of one tensor. */
export async function readTensor(
  file: TorchFile,
  view: TensorView,
  name: string,
): Promise<RawTensor> {
  const { begin, end } = bytesNeeded(view);
  return viewToRaw(view, await file.readStorage(view.storage.key, begin, end), name);
}

/** The same part by part, if it lies in the file as it is; else as one part. */
export async function* readParts(
  file: TorchFile,
  view: TensorView,
  { name, buffer }: { readonly name: string; readonly buffer: Uint8Array },
): AsyncGenerator<RawData> {
  const { storage } = view;
  const { begin, end } = bytesNeeded(view);
  if (!isContiguous(view) || !file.hasParts(storage.key)) {
    yield (await readTensor(file, view, name)).data;
    return;
  }
  const part: TensorView = { storage, offset: 0, shape: [], stride: [1] };
  for (const [from, to] of partsOf(begin, end, buffer.length)) {
    const shape = [(to - from) / rawItemsize(storage.dtype)];
    const bytes = await file.readStorage(storage.key, from, to, buffer);
    yield viewToRaw({ ...part, shape }, bytes, name).data;
  }
}

function checkBytes(storage: TorchStorage, bytes: number | undefined, file: string): void {
  const wanted = storage.length * rawItemsize(storage.dtype);
  if (bytes !== undefined && bytes >= wanted) return;
  throw new TorchFileError(
    `${file}: storage ${storage.key} ${bytes === undefined ? "is missing" : `has ${bytes} bytes`}, ` +
      `wanted ${wanted}: the file is truncated or damaged`,
  );
}

async function openZip(source: ByteSource): Promise<TorchFile> {
  const { name: file } = source;
  const zip = await ZipArchive.open(source);
  const pickles = [...zip.members.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickleName = ""] = pickles;
  const pickleMember = zip.members.get(pickleName);
  if (pickles.length !== 1 || pickleMember === undefined) {
    throw new TorchFileError(`${file}: the zip file is not one of PyTorch: it has no data.pkl`);
  }
  const root = pickleName.slice(0, -"data.pkl".length);
  if ([...zip.members.keys()].some((name) => name.startsWith(`${root}code/`))) {
    throw new TorchFileError(
      `${file}: the file is a TorchScript program, which is not run; save its state_dict() instead`,
    );
  }
  const order = zip.members.get(`${root}byteorder`);
  if (order !== undefined) checkOrder(new TextDecoder().decode(await zip.read(order)), file);
  const { packed, size, isDeflated } = pickleMember;
  if (isDeflated && size > LEAST_PICKLE + 4 * packed) {
    throw new TorchFileError(
      `${file}: its data.pkl unpacks from ${packed} bytes to ${size}, more than one of PyTorch does`,
    );
  }
  const pickle = await zip.read(pickleMember);
  const member = (key: string): ZipMember | undefined => zip.members.get(`${root}data/${key}`);
  const storages = new Map<string, TorchStorage>();
  const value = (make: MakeTensor): unknown =>
    unpickle(
      new PickleCursor(pickle, file),
      torchHost(file, storages, { make, budgets: budgetsOf(pickle.length, source.size, file) }),
    );
  checkPlain(
    value((view) => view),
    file,
  );
  for (const [key, storage] of storages) checkBytes(storage, member(key)?.size, file);
  return {
    value,
    storages,
    hasParts: (key) => member(key)?.isDeflated === false,
    readStorage: async (key, begin, end, into) => {
      const found = member(key);
      if (found === undefined) throw new TorchFileError(`internal: ${file}: no storage ${key}`);
      return zip.read(found, { begin, end }, into);
    },
  };
}

function checkOrder(order: string, file: string): void {
  if (order.trim() === "little") return;
  throw new TorchFileError(`${file}: the numbers are big-endian, which is not read`);
}

interface LegacyHeads {
  readonly valueBegin: number;
  readonly storages: Map<string, TorchStorage>;
  readonly keys: readonly string[];
  readonly dataBegin: number;
}

/** The five pickles before the numbers: magic, protocol, system, value and the storages' keys. */
function readHeads(bytes: Uint8Array, { name: file, size }: ByteSource): LegacyHeads {
  const cursor = new PickleCursor(bytes, file);
  const budgets = budgetsOf(bytes.length, size, file);
  const storages = new Map<string, TorchStorage>();
  const host = torchHost(file, storages, { make: (view) => view, budgets });
  if (unpickle(cursor, host) !== LEGACY_MAGIC || unpickle(cursor, host) !== LEGACY_PROTOCOL) {
    throw new TorchFileError(
      `${file}: the file does not begin as one of torch.save does; it may be a plain pickle`,
    );
  }
  const system = unpickle(cursor, host);
  if (!(system instanceof Map) || system.get("little_endian") !== true) checkOrder("big", file);
  const valueBegin = cursor.position;
  checkPlain(unpickle(cursor, host), file);
  const keys = unpickle(cursor, host);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw new TorchFileError(`${file}: the list of storages is broken: the file is damaged`);
  }
  return { valueBegin, storages, keys, dataBegin: cursor.position };
}

/** The pickles' length is not said anywhere, so that more is read until they end. */
async function findHeads(source: ByteSource): Promise<[Uint8Array, LegacyHeads]> {
  for (let length = FIRST_READ; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return [bytes, readHeads(bytes, source)];
    } catch (error) {
      if (!(error instanceof PickleEndError) || length >= source.size) throw error;
    }
  }
}

/** Where the numbers of each storage begin; before them stands how many there are. */
async function legacyPlaces(
  source: ByteSource,
  { storages, keys, dataBegin }: LegacyHeads,
): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  let at = dataBegin;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined || places.has(key)) {
      throw new TorchFileError(
        `${source.name}: storage ${key.slice(0, 100)} ` +
          (storage === undefined ? "belongs to no tensor" : "is listed twice"),
      );
    }
    const begin = at + 8;
    const end = begin + storage.length * rawItemsize(storage.dtype);
    if (end > source.size) {
      const left = source.size - begin;
      checkBytes(storage, left < 0 ? undefined : left, source.name);
    }
    const head = await source.read(at, begin);
    const length = new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true);
    if (length !== BigInt(storage.length)) checkBytes(storage, undefined, source.name);
    places.set(key, begin);
    at = end;
  }
  for (const [key, storage] of storages) {
    if (!places.has(key)) checkBytes(storage, undefined, source.name);
  }
  return places;
}

async function openLegacy(source: ByteSource): Promise<TorchFile> {
  const { name: file } = source;
  const [bytes, heads] = await findHeads(source);
  const places = await legacyPlaces(source, heads);
  const pickle = bytes.slice(heads.valueBegin, heads.dataBegin);
  return {
    storages: heads.storages,
    value: (make) =>
      unpickle(
        new PickleCursor(pickle, file),
        torchHost(file, new Map(heads.storages), {
          make,
          budgets: budgetsOf(pickle.length, source.size, file),
        }),
      ),
    hasParts: () => true,
    readStorage: async (key, begin, end, into) => {
      const place = places.get(key);
      if (place === undefined) throw new TorchFileError(`internal: ${file}: no storage ${key}`);
      return source.read(place + begin, place + end, into);
    },
  };
}

/**
 * Opens a file of `torch.save`, in its zip format or the one before PyTorch 1.6.
 * @throws TorchFileError when it is damaged or needs more than tensors and plain values.
 */
export async function openTorchFile(source: ByteSource): Promise<TorchFile> {
  const head = await source.read(0, Math.min(KIND_BYTES, source.size));
  if (head.length === 0) throw new TorchFileError(`${source.name}: the file is empty`);
  const isZip = head[0] === 0x50 && head[1] === 0x4b;
  if (isZip) return openZip(source);
  if (head[0] === 0x80) return openLegacy(source);
  const kind = fileKind(head);
  throw new TorchFileError(
    kind === undefined
      ? `${source.name}: the file is not one of torch.save: it begins neither as a zip file nor as ` +
          "a pickle of protocol 2 or later"
      : `${source.name}: this is ${kind}`,
  );
}
