import type { StreamInfo, Tags } from '../../web/src/api/types.ts';

/** A stream as the service tells of it. */
export function streamOf(
  id: string,
  tags: Tags = {},
  others: Partial<StreamInfo> = {},
): StreamInfo {
  return {
    id,
    tags,
    valueType: 'numeric',
    valueDownsamplers: ['mean', 'min', 'max', 'sum', 'count'],
    highestGranularity: 'seconds',
    levels: ['10seconds', 'minutes'],
    timeZone: 'UTC',
    earliestDatapoint: null,
    latestDatapoint: null,
    downsampledUntil: {},
    derivedFrom: null,
    contributesTo: [],
    pendingBackprocess: false,
    retention: null,
    expiredUntil: {},
    permissions: ['view'],
    ...others,
  };
}
