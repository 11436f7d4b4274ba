export type {
  ChangesOptions,
  FollowedStreamStart,
  StreamEvent,
  StreamPosition,
} from './api/change-feed.ts';
export { copyStreams } from './api/copy-streams.ts';
export { Datapoints } from './api/datapoints.ts';
export { Datastream } from './api/datastream.ts';
export { Streams } from './api/streams.ts';
export type {
  AppendedDatapoint,
  AppendOptions,
  BackprocessOptions,
  CopyOptions,
  CopyProgress,
  CopyReport,
  Datapoint,
  DatapointColumns,
  DataRange,
  DatastreamOptions,
  DeriveFrom,
  DeriveQuery,
  Difference,
  DownsampledDatapoint,
  DownsampleOptions,
  GivenGranularity,
  MaintenanceProgress,
  RawDatapoint,
  ReplacingData,
  RetentionOptions,
  StaleRange,
  StatusOptions,
  Stream,
  StreamChanges,
  StreamDefinition,
  StreamStatus,
  Thinning,
  TimeBounds,
  UnsupportedStream,
  VerifyOptions,
  VerifyReport,
} from './api/types.ts';
export type { Backend, OpenBackendOptions } from './backends/backend.ts';
export type { BackendManifest } from './backends/manifest.ts';
export { openBackend } from './backends/open-backend.ts';
export {
  AppendToDerivedStreamNotAllowed,
  BackendClosed,
  BackendUnavailable,
  BlockCorrupt,
  DatastreamException,
  DriverMissing,
  IncompatibleGranularities,
  IncompatibleTypes,
  InconsistentStreamConfiguration,
  InvalidBackendUrl,
  InvalidOperatorArguments,
  InvalidTimestamp,
  InvalidValue,
  LockExpiredMidMaintenance,
  MultipleStreamsReturned,
  NotSupported,
  OutstandingDependenciesError,
  ReservedTagNameError,
  StoreFormatUnsupported,
  StreamAppendContended,
  StreamAppendFailed,
  StreamNotFound,
  UnsupportedDeriveOperator,
  UnsupportedDownsampler,
  UnsupportedGranularity,
  UnsupportedValueType,
} from './exceptions/errors.ts';
export {
  DatastreamWarning,
  DownsampleConsistencyNotGuaranteed,
  InternalInconsistencyWarning,
  InvalidValueWarning,
} from './exceptions/warnings.ts';
export type { Calendar, CalendarUnit } from './model/calendar.ts';
export { Granularity, type GranularityName, type GranularityStep } from './model/granularity.ts';
export type { StreamId, ValueType, ValueTypeOptions } from './model/stream.ts';
export type { Json, Tags } from './model/tags.ts';
