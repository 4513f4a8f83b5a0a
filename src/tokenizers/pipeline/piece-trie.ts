/** Texts by their beginnings, in typed arrays: a vocabulary of 250,000 pieces is common. */
export class PieceTrie {
  #nodes = new Int32Array(1 << 10);
  #units = new Uint16Array(1 << 10);
  /** Child of each slot; 0 where the slot is free, as the root is nobody's child. */
  #children = new Int32Array(1 << 10);
  #size = 1;
  readonly #values = new Map<number, number>();

  /**
   * Adds a text.
   * @param value a number for it; the last one counts.
   */
  add(text: string, value: number): void {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const slot = this.#slot(node, unit);
      node = this.#children[slot] || this.#grow(slot, node, unit);
    }
    this.#values.set(node, value);
  }

  /**
   * Calls back for every text that begins at a place, the shortest first.
   * @returns Number of characters that were looked at.
   */
  forEachAt(text: string, begin: number, visit: (value: number, end: number) => void): number {
    let node = 0;
    let i = begin;
    for (; i < text.length; i++) {
      node = this.#children[this.#slot(node, text.charCodeAt(i))] ?? 0;
      if (node === 0) break;
      const value = this.#values.get(node);
      if (value !== undefined) visit(value, i + 1);
    }
    return i - begin;
  }

  #slot(node: number, unit: number): number {
    const mask = this.#children.length - 1;
    let slot = (Math.imul(node, 0x9e37_79b1) ^ Math.imul(unit, 0x85eb_ca6b)) & mask;
    while (
      this.#children[slot] !== 0 &&
      (this.#nodes[slot] !== node || this.#units[slot] !== unit)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(slot: number, node: number, unit: number): number {
    const child = this.#size++;
    this.#nodes[slot] = node;
    this.#units[slot] = unit;
    this.#children[slot] = child;
    if (this.#size * 2 > this.#children.length) this.#rehash();
    return child;
  }

  #rehash(): void {
    const [nodes, units, children] = [this.#nodes, this.#units, this.#children];
    const length = children.length * 2;
    this.#nodes = new Int32Array(length);
    this.#units = new Uint16Array(length);
    this.#children = new Int32Array(length);
    children.forEach((child, i) => {
      if (child === 0) return;
      const slot = this.#slot(nodes[i] ?? 0, units[i] ?? 0);
      this.#nodes[slot] = nodes[i] ?? 0;
      this.#units[slot] = units[i] ?? 0;
      this.#children[slot] = child;
    });
  }
}
