/**
 * A sum of floats that nothing is lost of, so that it depends neither on the order of its terms nor on terms
 * that were taken out again. Held as an expansion: floats that do not overlap, from the smallest, whose exact
 * sum it is. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates
 * (1997), GROW-EXPANSION; rounded as Python's `math.fsum` does.
 *
 * Terms must stay below `EXACT_TERM_MAX` in magnitude, so that no partial sum goes beyond the largest float.
 */
export class ExactSum {
  readonly #parts: number[] = [];

  /** Adds a term; its negative takes it out again. */
  add(term: number): void {
    const parts = this.#parts;
    let count = 0;
    let rest = term;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const isPartLarger = Math.abs(rest) < Math.abs(part);
      const large = isPartLarger ? part : rest;
      const small = isPartLarger ? rest : part;
      rest = large + small;
      const lost = small - (rest - large);
      if (lost !== 0) parts[count++] = lost;
    }
    parts.length = count;
    if (rest !== 0) parts.push(rest);
  }

  /** The float that is nearest to the sum; of two, the even one. */
  get rounded(): number {
    const parts = this.#parts;
    let index = parts.length - 1;
    if (index < 0) return 0;
    let total = parts[index--]!;
    let lost = 0;
    while (index >= 0 && lost === 0) {
      const before = total;
      const part = parts[index--]!;
      total = before + part;
      lost = part - (total - before);
    }
    // Half way between two floats, the smaller parts decide.
    if (index >= 0 && lost < 0 === parts[index]! < 0) {
      const further = total + lost * 2;
      if (lost * 2 === further - total) return further;
    }
    return total;
  }
}

/** With fewer than 2^60 smaller terms no sum overflows. */
export const EXACT_TERM_MAX: number = 2 ** 960;
