import { LTTBIndexesForBuckets } from 'downsample/methods/LTTB.js';

type Point = [x: number, y: number];

/** Points that follow each other, one of which is picked. */
interface Part {
  readonly index: number;
  readonly points: Point[];
  readonly positions: number[];
}

/** Gets the positions of picked points, ascending. */
export type Pick = (position: number) => void;

/**
 * Picks the points that show the shape of a series: "largest triangle three buckets" (Steinarsson 2013). The
 * first and the last point are picked, and of as many parts as are left, of equal sizes as far as whole numbers
 * allow, the point that spans the largest triangle with the pick before it and the middle of the next part.
 * The parts are cut here, because the library needs all points for that, and by rounding may lose the last one;
 * two parts are all that is held.
 */
export class TrianglePicker {
  readonly #pointCount: number;
  readonly #pickCount: number;
  readonly #pick: Pick;
  #seenCount = 0;
  /** Complete, but for the middle of the next part. */
  #waiting: Part | null = null;
  #open: Part | null = null;
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
      this.#open = { index, points: [], positions: [] };
    }
    const { points, positions } = this.#open;
    // Of the last part the last point is wanted, of the first one the first.
    if (index === 0 && points.length > 0) return;
    const row = index === this.#pickCount - 1 ? 0 : points.length;
    points[row] = [x, y];
    positions[row] = position;
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
      this.#take(this.#waiting, this.#largest(this.#waiting, middleOf(this.#open)));
    }
    this.#waiting = this.#open;
    this.#open = null;
  }

  #largest({ points }: Part, nextMiddle: Point): number {
    if (this.#picked === null || points.length === 1) return 0;
    const [, chosen] = LTTBIndexesForBuckets([[this.#picked], points, [nextMiddle]]);
    return chosen! - 1;
  }

  #take({ points, positions }: Part, row: number): void {
    this.#picked = points[row]!;
    this.#pick(positions[row]!);
  }
}

function middleOf({ points }: Part): Point {
  let sumX = 0;
  let sumY = 0;
  for (const [x, y] of points) {
    sumX += x;
    sumY += y;
  }
  return [sumX / points.length, sumY / points.length];
}
