import type { LevelSelection } from '../../downsamplers/level-selection.ts';
import { UnsupportedDownsampler, UnsupportedValueType } from '../../exceptions/errors.ts';
import type { ValueType } from '../../model/stream.ts';
import type { DatapointRows } from '../datapoint-rows.ts';
import type { Thinning } from '../types.ts';
import { type SeriesColumn, ThinnedRows } from './thinned-rows.ts';

/** What is to be thinned. */
export interface ThinSource {
  readonly valueType: ValueType;
  /** Of buckets; null for raw datapoints. */
  readonly selection: LevelSelection | null;
  /** In order of time. */
  readonly rows: DatapointRows;
}

export interface ThinRequest {
  /** What the caller wants; null: to have no more points than `pointCountMax`, in whatever way. */
  readonly thin: Thinning | null;
  readonly pointCountMax: number;
  readonly isReverse: boolean;
}

/**
 * Leaves out points.
 * @throws {UnsupportedValueType} {UnsupportedDownsampler} when there are no numbers that have a shape.
 */
export function thinned(source: ThinSource, request: ThinRequest): DatapointRows {
  const { thin, pointCountMax, isReverse } = request;
  const isEven = thin?.method === 'even';
  const shape = isEven ? null : seriesOf(source, thin?.by);
  if (shape === null && thin !== null && !isEven) throw noShape(source, thin.by);
  return new ThinnedRows(source.rows, { pointCountMax, shape, isReverse });
}

/** Null where there are no numbers. */
function seriesOf(
  { valueType, selection }: ThinSource,
  by: string | undefined,
): SeriesColumn | null {
  if (selection === null) {
    return valueType === 'numeric' ? ({ values }) => values ?? NO_VALUES : null;
  }
  const letter = selection.numberLetter(by);
  return letter === null ? null : ({ v }) => v?.[letter] ?? NO_VALUES;
}

const NO_VALUES: readonly never[] = [];

function noShape(
  { valueType, selection }: ThinSource,
  by: string | undefined,
): UnsupportedValueType | UnsupportedDownsampler {
  const even = "thin to points at equal distances with the method 'even'";
  if (selection === null) {
    return new UnsupportedValueType(
      `Raw values of a ${valueType} stream are no numbers that have a shape: ${even}.`,
    );
  }
  return new UnsupportedDownsampler(
    `${by === undefined ? 'Nothing' : JSON.stringify(by)} among what is read of the buckets ` +
      `${by === undefined ? 'gives' : 'is a value downsampler that gives'} numbers that have a shape: ` +
      `read and name one that does, or ${even}.`,
  );
}
