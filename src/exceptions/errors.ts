/** Base of every error that the engine raises on purpose. Match on the class or on `code`, never on the text. */
export abstract class DatastreamException extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No stream has this id: it was never created, or it has been deleted. */
export class StreamNotFound extends DatastreamException {
  readonly code = 'STREAM_NOT_FOUND';
  readonly streamId: string;

  constructor(streamId: string, options?: ErrorOptions) {
    super(`No stream with id ${JSON.stringify(streamId)}.`, options);
    this.streamId = streamId;
  }
}

/** The query tags of `ensureStream` match more than one stream. */
export class MultipleStreamsReturned extends DatastreamException {
  readonly code = 'MULTIPLE_STREAMS_RETURNED';
}

/** An existing stream differs from what `ensureStream` asks for in something that cannot change. */
export class InconsistentStreamConfiguration extends DatastreamException {
  readonly code = 'INCONSISTENT_STREAM_CONFIGURATION';
}

/** The stream cannot be deleted while streams outside the query derive from it. */
export class OutstandingDependenciesError extends DatastreamException {
  readonly code = 'OUTSTANDING_DEPENDENCIES';
}

/** No such downsampler, or not for this value type. */
export class UnsupportedDownsampler extends DatastreamException {
  readonly code = 'UNSUPPORTED_DOWNSAMPLER';
}

/** No granularity, none that the stream or the store has, or the highest of a stream where a level is needed. */
export class UnsupportedGranularity extends DatastreamException {
  readonly code = 'UNSUPPORTED_GRANULARITY';
}

/** No such derive operator, or it cannot produce the stream's value type. */
export class UnsupportedDeriveOperator extends DatastreamException {
  readonly code = 'UNSUPPORTED_DERIVE_OPERATOR';
}

/** No such value type or value type option, or not one for what is asked. */
export class UnsupportedValueType extends DatastreamException {
  readonly code = 'UNSUPPORTED_VALUE_TYPE';
}

/** A tag name is reserved, or contains `__`. */
export class ReservedTagNameError extends DatastreamException {
  readonly code = 'RESERVED_TAG_NAME';
}

/** A timestamp is not an instant, is outside the backend's range, or is older than the stream's latest. */
export class InvalidTimestamp extends DatastreamException {
  readonly code = 'INVALID_TIMESTAMP';
}

/** A derive source lacks the asked granularity, or it differs from the derived stream's own. */
export class IncompatibleGranularities extends DatastreamException {
  readonly code = 'INCOMPATIBLE_GRANULARITIES';
}

/** A derive source has a value type that the operator cannot read. */
export class IncompatibleTypes extends DatastreamException {
  readonly code = 'INCOMPATIBLE_TYPES';
}

/** Derived streams take their datapoints from their sources alone. */
export class AppendToDerivedStreamNotAllowed extends DatastreamException {
  readonly code = 'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED';
}

/** Wrong number, order or names of derive sources, or bad operator arguments. */
export class InvalidOperatorArguments extends DatastreamException {
  readonly code = 'INVALID_OPERATOR_ARGUMENTS';
}

/** A maintenance lease ran out while its holder was still working; another run may have taken over. */
export class LockExpiredMidMaintenance extends DatastreamException {
  readonly code = 'LOCK_EXPIRED_MID_MAINTENANCE';
}

/** Other writers changed the stream on every try. Nothing was stored; the append may be repeated. */
export class StreamAppendContended extends DatastreamException {
  readonly code = 'STREAM_APPEND_CONTENDED';
}

/** The store failed to take the datapoints. Nothing was acknowledged. `cause` carries the reason. */
export class StreamAppendFailed extends DatastreamException {
  readonly code = 'STREAM_APPEND_FAILED';
}

/** The backend was closed, or never opened. */
export class BackendClosed extends DatastreamException {
  readonly code = 'BACKEND_CLOSED';
}

/** The store cannot be reached, opened or written: `cause` carries the reason. */
export class BackendUnavailable extends DatastreamException {
  readonly code = 'BACKEND_UNAVAILABLE';
}

/** The URL names no known backend, or lacks what that backend needs. */
export class InvalidBackendUrl extends DatastreamException {
  readonly code = 'INVALID_BACKEND_URL';
}

/** The backend's driver package is not installed; the message names it. */
export class DriverMissing extends DatastreamException {
  readonly code = 'DRIVER_MISSING';
}

/** The backend's manifest (`backend.supports`) says that it cannot do this. */
export class NotSupported extends DatastreamException {
  readonly code = 'NOT_SUPPORTED';
}

/** The store was written by a newer format version than this one reads. */
export class StoreFormatUnsupported extends DatastreamException {
  readonly code = 'STORE_FORMAT_UNSUPPORTED';
}

/** Stored bytes do not decode: the message says where and why. Nothing is guessed from them. */
export class BlockCorrupt extends DatastreamException {
  readonly code = 'BLOCK_CORRUPT';
}

/**
 * A value does not fit the stream's value type. A `TypeError` too, for callers who catch those.
 * Nothing was stored.
 */
export class InvalidValue extends TypeError {
  readonly code = 'INVALID_VALUE';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidValue';
  }
}
