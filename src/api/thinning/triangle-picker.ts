import { LTTBIndexesForBuckets } from 'downsample/methods/LTTB.js';
import { type Point, SeriesPart } from './series-part.ts';

/** Gets the positions of picked points, ascending. */
export type Pick = (position: number) => void;

/**
 * Picks the points that show the shape of a series: "largest triangle three buckets" (Steinarsson 2013). The
 * first and the last point are picked, and of as many parts as are left, of equal sizes as far as whole numbers
 * allow, the point that spans the largest triangle with the pick before it and the middle of the next part.
 * The parts are cut here, because the library needs all points for that, and by rounding may lose the last one;
 * two parts are all that is held, and of long ones only what may be picked.
 */
export class TrianglePicker {
  readonly #pointCount: number;
  readonly #pickCount: number;
  readonly #pick: Pick;
  #seenCount = 0;
  /** Complete, but for the middle of the next part. */
  #waiting: SeriesPart | null = null;
  #open: SeriesPart | null = null;
  #picked: Point | null = null;

  /** @param counts how many points there will be, and how many of them to pick, at least 1. */
  constructor(counts: { readonly pointCount: number; readonly pickCount: number }, pick: Pick) {
    this.#pointCount = counts.pointCount;
    this.#pickCount = Math.min(counts.pickCount, counts.pointCount);
    this.#pick = pick;
  }

  /** Takes the next point. Products of coordinates must be finite. */
  add(x: number, y: number, position: number): void {
    const index = this.#partOf(this.#seenCount++);
    if (this.#open === null || this.#open.index !== index) {
      this.#close();
      this.#open = new SeriesPart(index);
    }
    const part = this.#open;
    // Of the last part the last point is wanted, of the first one the first.
    if (index === 0 && part.points.length > 0) return;
    if (index === this.#pickCount - 1) part.clear();
    part.add([x, y], position);
  }

  /** Positions of the points that may still be picked, ascending; at most so many for each of two parts. */
  get candidates(): readonly number[] {
    return [...(this.#waiting?.positions ?? []), ...(this.#open?.positions ?? [])];
  }

  /** Ends the series, also before all points that were announced. */
  finish(): void {
    this.#close();
    if (this.#waiting !== null) this.#take(this.#waiting, this.#waiting.points.length - 1);
    this.#waiting = null;
  }

  #partOf(index: number): number {
    if (index === 0 || this.#pickCount === 1) return 0;
    if (index >= this.#pointCount - 1 || this.#pickCount === 2) return this.#pickCount - 1;
    return Math.ceil((index * (this.#pickCount - 2)) / (this.#pointCount - 2));
  }

  #close(): void {
    if (this.#open === null) return;
    if (this.#waiting !== null) {
      this.#take(this.#waiting, this.#largest(this.#waiting, this.#open.middle));
    }
    this.#waiting = this.#open;
    this.#open = null;
  }

  #largest({ points }: SeriesPart, nextMiddle: Point): number {
    if (this.#picked === null || points.length === 1) return 0;
    const [, chosen] = LTTBIndexesForBuckets([[this.#picked], points, [nextMiddle]]);
    return chosen! - 1;
  }

  #take({ points, positions }: SeriesPart, row: number): void {
    this.#picked = points[row]!;
    this.#pick(positions[row]!);
  }
}
