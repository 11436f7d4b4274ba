import type { ServiceConfig } from '../config/service-config.ts';
import type { NewStreamOptions } from '../ingest/new-streams.ts';
import type { WriteOptions } from '../ingest/write-options.ts';
import type { Viewer } from './viewer.ts';

/** How whoever asks writes, as the configuration has it. */
export function writeOptionsOf(
  { ingest }: Pick<ServiceConfig, 'ingest'>,
  viewer: Viewer,
): WriteOptions {
  return {
    duplicates: 'skip',
    isStrict: false,
    newStreams: newStreamsOf(ingest),
    mayAppend: (stream) => viewer.can('append', stream),
    mayReplace: (stream) => viewer.can('change', stream),
    mayCreate: (tags) => ingest.createStreams && viewer.canCreate(tags),
    isOwned: (streamId) => viewer.isOwned(streamId),
    onCreated: (streamIds) => viewer.created(streamIds),
  };
}

/** How streams are made that writes create. */
export function newStreamsOf(ingest: ServiceConfig['ingest']): NewStreamOptions {
  return {
    highestGranularity: ingest.granularity,
    valueDownsamplers: ingest.valueDownsamplers,
    nominalDownsamplers: ingest.nominalDownsamplers,
    derivesRates: ingest.deriveRates,
    ...(ingest.retention !== null && { retention: ingest.retention }),
  };
}
