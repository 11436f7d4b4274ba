import type { Datastream } from '../../api/datastream.ts';
import type { VerifyOptions, VerifyReport } from '../../api/types.ts';
import type { StreamId } from '../../model/stream.ts';
import { differenceLine } from '../format/difference-line.ts';

/** Which streams a job verifies, and perhaps repairs, and how many differences it tells of. */
export interface VerifyPart {
  readonly queryTags: NonNullable<VerifyOptions['queryTags']>;
  readonly shard: NonNullable<VerifyOptions['shard']>;
  readonly repair: boolean;
  readonly differenceCountMax: number;
}

/** What it found, in a form that can be sent to another thread. */
export interface VerifyResult {
  readonly report: VerifyReport;
  /** The first ones, as lines; streams in creation order. */
  readonly differences: readonly { readonly streamId: StreamId; readonly line: string }[];
}

/** Streams verified so far, of how many. */
export interface PartProgress {
  readonly streamCount: number;
  readonly streamCountTotal: number;
}

/** Verifies a part of the streams in this thread. @throws the reason of the signal. */
export async function verifyPart(
  datastream: Datastream,
  { queryTags, shard, repair, differenceCountMax }: VerifyPart,
  {
    signal,
    onProgress,
  }: { readonly signal: AbortSignal; readonly onProgress: (progress: PartProgress) => void },
): Promise<VerifyResult> {
  const differences: VerifyResult['differences'][number][] = [];
  const report = await datastream.verify({
    queryTags,
    shard,
    repair,
    signal,
    onProgress,
    onDifference: (difference) => {
      if (differences.length >= differenceCountMax) return;
      differences.push({ streamId: difference.streamId, line: differenceLine(difference) });
    },
  });
  return { report, differences };
}
