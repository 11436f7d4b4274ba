/** A stretch of rows without a value, between rows that have one. */
export interface Gap {
  /** Of its first row. */
  readonly position: number;
  /** From the value before it to the value after it. */
  readonly durationMs: number;
  /** How many rows before it have a value. */
  readonly valueCountBefore: number;
}

/** What of a series decides how many points each part of it gets. */
export interface SeriesShape {
  readonly rowCount: number;
  readonly valueCount: number;
  readonly startsWithGap: boolean;
  readonly endsWithGap: boolean;
  /** The longest ones between values, in order. */
  readonly gaps: readonly Gap[];
  /** The greatest absolute value; 0 without values. */
  readonly greatest: number;
}

/** Finds out the shape of a series, row by row, in order of time. */
export class ShapeScan {
  readonly #gapCountMax: number;
  #rowCount = 0;
  #valueCount = 0;
  #startsWithGap = false;
  #greatest = 0;
  #gaps: Gap[] = [];
  /** Of the first row since the last value; null right after a value. */
  #gapPosition: number | null = null;
  #lastValueMs = 0;

  constructor(gapCountMax: number) {
    this.#gapCountMax = gapCountMax;
  }

  /** Takes the next row; what is not finite is no value. */
  add(timestampMs: number, value: number): void {
    const position = this.#rowCount++;
    if (!Number.isFinite(value)) {
      if (position === 0) this.#startsWithGap = true;
      this.#gapPosition ??= position;
      return;
    }
    if (this.#gapPosition !== null && this.#valueCount > 0) {
      this.#keep({
        position: this.#gapPosition,
        durationMs: timestampMs - this.#lastValueMs,
        valueCountBefore: this.#valueCount,
      });
    }
    this.#gapPosition = null;
    this.#lastValueMs = timestampMs;
    this.#valueCount++;
    this.#greatest = Math.max(this.#greatest, Math.abs(value));
  }

  get shape(): SeriesShape {
    return {
      rowCount: this.#rowCount,
      valueCount: this.#valueCount,
      startsWithGap: this.#startsWithGap,
      endsWithGap: this.#gapPosition !== null,
      gaps: this.#longest().sort((a, b) => a.position - b.position),
      greatest: this.#greatest,
    };
  }

  #keep(gap: Gap): void {
    if (this.#gapCountMax === 0) return;
    this.#gaps.push(gap);
    if (this.#gaps.length >= this.#gapCountMax * 2) this.#gaps = this.#longest();
  }

  /** Of equally long ones, the first. */
  #longest(): Gap[] {
    return this.#gaps
      .toSorted((a, b) => b.durationMs - a.durationMs || a.position - b.position)
      .slice(0, this.#gapCountMax);
  }
}
