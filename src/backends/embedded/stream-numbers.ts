/**
 * What a view keeps about each stream as plain numbers, by ordinal: a commit that touches a thousand
 * streams then walks through an array, not through a thousand objects.
 */
export class StreamNumbers {
  /** Seq of the last commit that touched the stream, or a later one if that is no longer known. */
  versions: Float64Array;
  /** Seq of the last commit that moved a watermark apart from the record; 0 when none did. */
  overlayRevisions: Float64Array = new Float64Array(0);
  /** Levels with a tail. */
  tailCount = 0;
  /** Levels with an open column in a cohort. */
  memberCount = 0;
  readonly #baseSeq: number;

  constructor(baseSeq: number) {
    this.#baseSeq = baseSeq;
    this.versions = new Float64Array(0);
  }

  /** Makes room for a stream. */
  reserve(ordinal: number): void {
    const count = this.versions.length;
    if (ordinal < count) return;
    const capacity = Math.max(64, ordinal + 1, count * 2);
    const versions = new Float64Array(capacity);
    versions.set(this.versions);
    versions.fill(this.#baseSeq, count);
    this.versions = versions;
    const overlayRevisions = new Float64Array(capacity);
    overlayRevisions.set(this.overlayRevisions);
    this.overlayRevisions = overlayRevisions;
  }
}
