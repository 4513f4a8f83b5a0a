const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const PARITY = 0x1bd11bda;

/**
 * Threefry-2x32 with 20 rounds: a pseudo-random function of a 64-bit key and a 64-bit counter made
 * of additions, rotations and exclusive ors, so that it gives the same bits on every machine. From
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011); JAX
 * derives its keys with it.
 *
 * @returns Two words, as signed 32-bit integers.
 */
export function threefry(
  key: readonly [number, number],
  counter: readonly [number, number],
): [number, number] {
  const keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY] as const;
  let a = (counter[0] + keys[0]) | 0;
  let b = (counter[1] + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const r of ROTATIONS[(group % 2) as 0 | 1]) {
      a = (a + b) | 0;
      b = ((b << r) | (b >>> (32 - r))) ^ a;
    }
    a = (a + keys[((group + 1) % 3) as 0 | 1 | 2]) | 0;
    b = (b + keys[((group + 2) % 3) as 0 | 1 | 2] + group + 1) | 0;
  }
  return [a, b];
}
