export type Point = [x: number, y: number];

/** Points of a part that are held, at most. */
export const HELD_POINT_COUNT_MAX = 8192;

/** Points that follow each other in order of time, one of which is picked. */
export class SeriesPart {
  readonly index: number;
  /** Those that may be picked. */
  #points: Point[] = [];
  #positions: number[] = [];
  #count = 0;
  #sumX = 0;
  #sumY = 0;

  constructor(index: number) {
    this.index = index;
  }

  get points(): Point[] {
    return this.#points;
  }

  /** Of the points, ascending. */
  get positions(): readonly number[] {
    return this.#positions;
  }

  /** Of all points, also those that are not held. */
  get middle(): Point {
    return [this.#sumX / this.#count, this.#sumY / this.#count];
  }

  add(point: Point, position: number): void {
    this.#points.push(point);
    this.#positions.push(position);
    this.#count++;
    this.#sumX += point[0];
    this.#sumY += point[1];
    if (this.#points.length >= HELD_POINT_COUNT_MAX) this.#letGo();
  }

  clear(): void {
    this.#points.length = 0;
    this.#positions.length = 0;
    this.#count = 0;
    this.#sumX = 0;
    this.#sumY = 0;
  }

  /**
   * The largest triangle over a line is at a corner of the convex hull of the points, whatever the line is: points
   * inside of it are never picked. Where most are corners, as on a smooth curve, every second one says enough.
   */
  #letGo(): void {
    const corners = hullOf(this.#points);
    const isCurve = corners.length > HELD_POINT_COUNT_MAX / 2;
    // The last point stays: the series may end with it.
    const isKept = (index: number): boolean => index % 2 === 0 || index === corners.length - 1;
    const kept = isCurve ? corners.filter((_, index) => isKept(index)) : corners;
    this.#points = kept.map((row) => this.#points[row]!);
    this.#positions = kept.map((row) => this.#positions[row]!);
  }
}

/** Rows of the corners of the convex hull, ascending. @see Andrew 1979, "monotone chain" */
function hullOf(points: readonly Point[]): readonly number[] {
  const rows = new Set([...chainOf(points, 1), ...chainOf(points, -1)]);
  return [...rows].sort((a, b) => a - b);
}

/** The corners of the hull on one side: below with 1, above with -1. */
function chainOf(points: readonly Point[], side: 1 | -1): readonly number[] {
  const chain: number[] = [];
  for (const [row, point] of points.entries()) {
    while (chain.length >= 2) {
      const [before, last] = [points[chain.at(-2)!]!, points[chain.at(-1)!]!];
      if (side * turn(before, last, point) > 0) break;
      chain.pop();
    }
    chain.push(row);
  }
  return chain;
}

/** Twice the area of the triangle, positive where it turns to the left. */
function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}
