// Modules as in PyTorch: layers, functions, parameters, state dicts.
export { Buffer } from "./buffer.ts";
export { Activation } from "./layers/activation.ts";
export { BatchNorm2d, type BatchNormLayerOptions } from "./layers/batch-norm.ts";
export { Conv1D } from "./layers/conv1d.ts";
export { Conv1d, Conv2d, type ConvLayerOptions } from "./layers/convolution.ts";
export { Dropout } from "./layers/dropout.ts";
export { Embedding, type EmbeddingOptions } from "./layers/embedding.ts";
export { Flatten } from "./layers/flatten.ts";
export { GroupNorm, type GroupNormOptions } from "./layers/group-norm.ts";
export { Identity } from "./layers/identity.ts";
export { LayerNorm, type LayerNormOptions } from "./layers/layer-norm.ts";
export { Linear, type LinearOptions } from "./layers/linear.ts";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./layers/pooling.ts";
export { RMSNorm, type RMSNormOptions } from "./layers/rms-norm.ts";
export { ModuleList, Sequential } from "./module-list.ts";
export { type LoadOptions, Module } from "./module.ts";
export { EditScope, site, type SiteHandler, type SiteName, type Visit } from "./scope.ts";
export { initialized, withoutInit } from "./without-init.ts";
