/** Base of what is reported through `onWarning` and does not stop the work. */
export class DatastreamWarning extends Error {
  readonly code: string = 'DATASTREAM_WARNING';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An input has no meaningful derived output (zero time difference, unexplained counter drop). */
export class InvalidValueWarning extends DatastreamWarning {
  override readonly code = 'INVALID_VALUE_WARNING';
}

/** Stored data and its description disagree. */
export class InternalInconsistencyWarning extends DatastreamWarning {
  override readonly code = 'INTERNAL_INCONSISTENCY_WARNING';
}

/** A backend cannot promise that levels follow late data. */
export class DownsampleConsistencyNotGuaranteed extends DatastreamWarning {
  override readonly code = 'DOWNSAMPLE_CONSISTENCY_NOT_GUARANTEED';
}
