/** Base of what is reported through `onWarning` and does not stop the work. */
export class DatastreamWarning extends Error {
  readonly code: string = 'DATASTREAM_WARNING';

  constructor(message: string, options?: ErrorOptions) {
    // It is no error of whoever called: a trace would show the inside of the engine alone, and take longer than
    // what many of them warn of.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
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
