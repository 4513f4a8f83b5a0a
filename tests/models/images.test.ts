import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  BatchNorm2d,
  Conv2d,
  functional,
  IntervenableModel,
  Linear,
  loadSafetensors,
  loadTorchFile,
  Module,
  Sequential,
  tensor,
  Tensor,
  VanillaIntervention,
  ZeroIntervention,
  type OwnUnit,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { readPng } from "./png.ts";

/** Small models of images, with trained weights. */
const PLACE = fileURLToPath(new URL("../../../shared/models", import.meta.url));

interface ImageSet {
  /** What its images' pixels are normalised with, for each channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Height and width. */
  readonly size: number;
}

/** The first images of a PNG whose rows are images, as [count, channels, size, size]. */
async function readImages(
  file: string,
  count: number,
  { mean, std, size }: ImageSet,
): Promise<Tensor> {
  const { channels, data } = readPng(await readFile(`${PLACE}/${file}.png`));
  const pixels = size * size;
  const values = new Float32Array(count * mean.length * pixels);
  values.forEach((_, i) => {
    const pixel = i % pixels;
    const channel = Math.floor(i / pixels) % mean.length;
    const image = Math.floor(i / (pixels * mean.length));
    const value = (data[(image * pixels + pixel) * channels + channel] ?? 0) / 255;
    values[i] = (value - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  });
  return tensor(values, { shape: [count, mean.length, size, size] });
}

async function readLabels(file: string): Promise<readonly number[]> {
  return JSON.parse(await readFile(`${PLACE}/${file}_labels.json`, "utf8")) as readonly number[];
}

async function classes(logits: Tensor): Promise<readonly number[]> {
  return logits.argmax(-1).toArray(1);
}

/** How many of the first classes are right, of one. */
function accuracy(got: readonly number[], labels: readonly number[]): number {
  return got.filter((label, i) => label === labels[i]).length / got.length;
}

/** A reader of digits, as a user would write it. */
class DigitReader extends Module {
  readonly conv1 = new Conv2d(1, 8, 3);
  readonly conv2 = new Conv2d(8, 16, 3);
  readonly conv3 = new Conv2d(16, 24, 3);
  readonly norm1 = new BatchNorm2d(24);
  readonly fc1 = new Linear(24 * 22 * 22, 32);
  readonly fc2 = new Linear(32, 10);
  readonly norm2 = new BatchNorm2d(10);

  override forward({ images }: { readonly images: Tensor }): { logits: Tensor } {
    let x = this.conv1.forward(images).relu();
    x = this.conv2.forward(x).relu();
    x = this.conv3.forward(x).relu();
    x = this.norm1.forward(x).flatten(1);
    x = this.fc2.forward(this.fc1.forward(x).relu());
    return { logits: this.norm2.forward(x.reshape([-1, 10, 1, 1])).flatten(1) };
  }
}

const MNIST = { mean: [0.1307], std: [0.3081], size: 28 };

describe.skipIf(!existsSync(`${PLACE}/mnist`))("a CNN that reads digits", () => {
  const file = "mnist/mnist_test_batch_20";

  async function readDigitReader(): Promise<DigitReader> {
    const reader = new DigitReader();
    const weights = await loadSafetensors(`${PLACE}/mnist/burn_mnist_cnn.safetensors`);
    reader.loadStateDict(Object.fromEntries(weights));
    return reader.eval();
  }

  test("reads 99.3 % of 300 right", async () => {
    const reader = await readDigitReader();
    const images = await readImages(file, 300, MNIST);
    const read = await classes(reader.forward({ images }).logits);
    expect(accuracy(read, await readLabels(file))).toBeCloseTo(298 / 300, 6);
  });

  test("reads each of two digits as the other, when what it sees of them is swapped", async () => {
    const reader = await readDigitReader();
    const images = await readImages(file, 2, MNIST);
    const [first = NaN, second = NaN] = await readLabels(file);
    expect(first).not.toBe(second);
    const swap = new IntervenableModel(
      { component: "conv2.output", intervention: VanillaIntervention },
      reader,
    );
    const swapped = images.flip([0]);
    const { original, intervened } = swap.forward({ images }, { sources: [{ images: swapped }] });
    expect(await classes(original.logits)).toEqual([first, second]);
    expect(await classes(intervened.logits)).toEqual([second, first]);
    const gap = intervened.logits
      .sub(original.logits.flip([0]))
      .abs()
      .max();
    expect(await gap.item()).toBeLessThan(1e-4);
  });
});

function conv3x3(from: number, to: number, stride = 1): Conv2d {
  return new Conv2d(from, to, 3, { stride, padding: 1, bias: false });
}

/** Two convolutions, and the input past them: of a larger image, every second pixel. */
class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(from: number, to: number) {
    super();
    this.conv1 = conv3x3(from, to, to / from);
    this.bn1 = new BatchNorm2d(to);
    this.conv2 = conv3x3(to, to);
    this.bn2 = new BatchNorm2d(to);
  }

  override forward(x: Tensor): Tensor {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    const change = this.bn2.forward(this.conv2.forward(inner));
    const added = (change.size(1) - x.size(1)) / 2;
    if (added === 0) return change.add(x).relu();
    const smaller = x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2);
    return change.add(functional.pad(smaller, [0, 0, 0, 0, added, added])).relu();
  }
}

/** ResNet-20 for small images, as a user would write it. */
class ResNet20 extends Module {
  readonly conv1 = conv3x3(3, 16);
  readonly bn1 = new BatchNorm2d(16);
  readonly layer1 = new Sequential(new Block(16, 16), new Block(16, 16), new Block(16, 16));
  readonly layer2 = new Sequential(new Block(16, 32), new Block(32, 32), new Block(32, 32));
  readonly layer3 = new Sequential(new Block(32, 64), new Block(64, 64), new Block(64, 64));
  readonly linear = new Linear(64, 10);

  override forward({ images }: { readonly images: Tensor }): { logits: Tensor } {
    let x = this.bn1.forward(this.conv1.forward(images)).relu();
    for (const layer of [this.layer1, this.layer2, this.layer3]) x = layer.forward(x);
    return { logits: this.linear.forward(x.mean({ dim: [2, 3] })) };
  }
}

const CIFAR = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], size: 32 };

describe.skipIf(!existsSync(`${PLACE}/cifar10`))("a ResNet-20 that names what it sees", () => {
  const file = "cifar10/cifar10_test_batch_50";

  async function readResNet20(): Promise<ResNet20> {
    const saved = await loadTorchFile(`${PLACE}/cifar10/resnet20-12fca82f.th`);
    const weights = saved instanceof Map ? (saved.get("state_dict") as unknown) : undefined;
    if (!(weights instanceof Map)) throw new Error("the file holds no state_dict");
    const resnet = new ResNet20();
    // The file is from before batches were counted.
    const counts = Object.entries(resnet.stateDict()).filter(([, t]) => t.dtype === "int64");
    const state: Record<string, Tensor> = Object.fromEntries(counts);
    for (const [name, value] of weights as ReadonlyMap<string, unknown>) {
      if (value instanceof Tensor) state[name.replace(/^module\./, "")] = value;
    }
    resnet.loadStateDict(state);
    return resnet.eval();
  }

  test("names 91.0 % of 200 right, and few without a block of channels", async () => {
    const resnet = await readResNet20();
    const images = await readImages(file, 200, CIFAR);
    const labels = await readLabels(file);
    const block = new IntervenableModel(
      { component: "layer2.output", unit: "channel" as OwnUnit, intervention: ZeroIntervention },
      resnet,
    );
    const { original, intervened } = block.forward(
      { images },
      { unitLocations: { base: Array.from({ length: 16 }, (_, channel) => channel) } },
    );
    expect(accuracy(await classes(original.logits), labels)).toBeCloseTo(0.91, 6);
    expect(accuracy(await classes(intervened.logits), labels)).toBeLessThan(0.5);
  });
});
