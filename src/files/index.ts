// Where bytes come from: directories, memory, HTTP and the Hugging Face Hub.
export { type ByteSource, bytesInMemory, bytesOfBlob, openFile } from "./byte-source.ts";
export { type ChosenFiles, filesChosen } from "./chosen-files.ts";
export type { DownloadOptions, DownloadProgress } from "./download.ts";
export { FileSourceError, type FileSourceFailure } from "./file-source-error.ts";
export { FileSource } from "./file-source.ts";
export { HttpFiles } from "./http-files.ts";
export { HubFiles, type RepositoryListing } from "./hub-files.ts";
export type { HubAccessOptions, HubOptions } from "./hub-options.ts";
export { LocalFiles } from "./local-files.ts";
export { type FileContent, MemoryFiles } from "./memory-files.ts";
export { type FilesName, openFiles } from "./open-files.ts";
export { type OpenedPlace, openPlace } from "./open-place.ts";
export { pullFromHub, type Pulled, type PullOptions } from "./pull-from-hub.ts";
export type { Pushed, PushOptions } from "./push-options.ts";
export type { CardOptions } from "./repository-card.ts";
