"""Prints the numbers pinned in src/tensor/random.test.ts, from the papers' own definitions."""

import math

M = 0xFFFFFFFF


def rotl(x, k):
    return ((x << k) | (x >> (32 - k))) & M


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds, as in Random123."""
    ks = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA]
    x = [(counter[0] + ks[0]) & M, (counter[1] + ks[1]) & M]
    rotations = [13, 15, 26, 6, 17, 29, 16, 24]
    for d in range(20):
        x[0] = (x[0] + x[1]) & M
        x[1] = rotl(x[1], rotations[d % 8]) ^ x[0]
        if d % 4 == 3:
            i = d // 4 + 1
            x[0] = (x[0] + ks[i % 3]) & M
            x[1] = (x[1] + ks[(i + 1) % 3] + i) & M
    return x


class Stream:
    """xoshiro128++, as in the authors' C code."""

    def __init__(self, key=None, state=None):
        self.key = key
        self.s = state or threefry(key, [0, 0]) + threefry(key, [1, 0])

    def word(self):
        s = self.s
        out = (rotl((s[0] + s[3]) & M, 7) + s[0]) & M
        t = (s[1] << 9) & M
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
        return out

    def child(self, n):
        return Stream(threefry(self.key, [2 + n, 0]))

    def uniform(self):
        high = self.word() >> 5
        return (high * 2**26 + (self.word() >> 6)) / 2**53

    def integer(self, high):
        limit = 2**32 - 2**32 % high
        while True:
            w = self.word()
            if w < limit:
                return w % high

    def normal(self, short):
        while True:
            w = self.word()
            layer = w & 127
            position = (w >> 7) - (2**25 if w >> 31 else 0)
            fraction = 0.5 if short else ((self.word() >> 4) + 0.5) / 2**28
            u = (position + fraction) / 2**24
            if abs(u) < EDGES[layer + 1] / EDGES[layer]:
                return u * EDGES[layer]
            if layer == 0:
                while True:
                    x = -math.log((self.word() + 0.5) / 2**32) / EDGES[1]
                    if -2 * math.log((self.word() + 0.5) / 2**32) >= x * x:
                        return math.copysign(EDGES[1] + x, u)
            x = u * EDGES[layer]
            low, high = f(EDGES[layer]), f(EDGES[layer + 1])
            if low + (self.word() + 0.5) / 2**32 * (high - low) < f(x):
                return x


def f(x):
    return math.exp(-x * x / 2)


R, V = 3.442619855899, 9.91256303526217e-3
EDGES = [V / f(R), R]
while len(EDGES) < 128:
    EDGES.append(math.sqrt(-2 * math.log(V / EDGES[-1] + f(EDGES[-1]))))
EDGES.append(0.0)


def shuffled(stream, n):
    out = list(range(n))
    for i in range(n - 1, 0, -1):
        j = stream.integer(i + 1)
        out[i], out[j] = out[j], out[i]
    return out


print("reference", [w for s in [Stream(state=[1, 2, 3, 4])] for w in (s.word() for _ in range(10))])
for seed in (0, 42, 2**53 - 1):
    stream = Stream([seed & M, seed >> 32])
    print("seed", seed, [stream.word() for _ in range(3)])
for n in (0, 1):
    stream = Stream([42, 0]).child(n)
    print("child", n, [stream.word() for _ in range(3)])
stream = Stream([42, 0])
print("uniform", [stream.uniform() for _ in range(2)])
print("normal, short", [stream.normal(True) for _ in range(3)])
print("normal", [stream.normal(False) for _ in range(2)])
print("integers below 100", [stream.integer(100) for _ in range(4)])
print("permutation", shuffled(stream, 6))
stream = Stream([1, 0])
draws = [stream.normal(False) for _ in range(200000)]
print("sum of absolute values", sum(map(abs, draws)), "largest", max(map(abs, draws)))
stream = Stream([1, 0])
draws = [stream.normal(True) for _ in range(200000)]
print("short: sum", sum(map(abs, draws)), "largest", max(map(abs, draws)))
