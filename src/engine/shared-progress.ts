/**
 * How far streams have come that get their datapoints in the same ticks: one number for all of them, so that
 * a tick need not be noted stream by stream.
 */
export class SharedProgress {
  version: number | string;
  latestMs: number;
  /** Streams that share it. Kept by the streams themselves, which leave when they move on in another way. */
  memberCount = 0;

  constructor(version: number | string, latestMs: number) {
    this.version = version;
    this.latestMs = latestMs;
  }
}
