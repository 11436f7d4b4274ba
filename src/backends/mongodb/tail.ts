import { type Block, concatBlocks, EMPTY_BLOCK, rawBlock } from '../../model/block.ts';
import { rowsSizeBytes } from './row-size.ts';

const NUMERIC_ROW_SIZE_BYTES = 16;

/** The newest rows of a level, after those in its blocks. What is handed out never changes. */
export class Tail {
  #parts: Block[] = [];
  #rowCount = 0;
  #sizeBytes = 0;
  #firstMs: number | null = null;
  #lastMs: number | null = null;
  /** Numeric rows that came one by one, not yet a block. */
  #timestamps: number[] = [];
  #values: number[] = [];

  get rowCount(): number {
    return this.#rowCount;
  }

  /** About how many bytes the rows take before they are encoded. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get firstMs(): number | null {
    return this.#firstMs;
  }

  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** Adds a raw numeric row at the end. */
  push(timestampMs: number, value: number): void {
    this.#timestamps.push(timestampMs);
    this.#values.push(value);
    this.#sizeBytes += NUMERIC_ROW_SIZE_BYTES;
    this.#note(timestampMs, timestampMs, 1);
  }

  /** Adds rows at the end. */
  append(rows: Block): void {
    if (rows.timestamps.length === 0) return;
    this.#flush();
    this.#parts.push(rows);
    this.#sizeBytes += rowsSizeBytes(rows);
    this.#note(rows.timestamps[0]!, rows.timestamps.at(-1)!, rows.timestamps.length);
  }

  block(): Block {
    this.#flush();
    if (this.#parts.length > 1) this.#parts = [concatBlocks(this.#parts)];
    return this.#parts[0] ?? EMPTY_BLOCK;
  }

  #note(firstMs: number, lastMs: number, rowCount: number): void {
    this.#firstMs ??= firstMs;
    this.#lastMs = lastMs;
    this.#rowCount += rowCount;
  }

  #flush(): void {
    if (this.#timestamps.length === 0) return;
    this.#parts.push(
      rawBlock(Float64Array.from(this.#timestamps), Float64Array.from(this.#values)),
    );
    this.#timestamps = [];
    this.#values = [];
  }
}
