/** Takes the next bytes of a file. */
type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Writes the content of a file by calling its argument, in order. */
export type FillFile = (write: WriteBytes) => Promise<void>;
