import type { Json, StreamInfo, Tags } from '../api/types.ts';
import { textTag } from '../format/stream-title.ts';

/** How a stream says that it is drawn: its tag `visualization`. */
export interface Visualization {
  readonly type: 'line' | 'stack' | 'event';
  /** Null: the stream does not say. */
  readonly valueDownsamplers: readonly string[] | null;
  readonly isHidden: boolean;
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** Tags of the streams that it wants to be in one chart with; null: of none. */
  readonly with: Tags | null;
}

const TYPES = ['line', 'stack', 'event'] as const;

/** Null when the stream has no such tag, or one that says nothing that is known. */
export function visualizationOf({ tags }: Pick<StreamInfo, 'tags'>): Visualization | null {
  const tag = tags['visualization'];
  if (!isObject(tag)) return null;
  const type = TYPES.find((name) => name === (tag['type'] ?? 'line'));
  if (type === undefined) return null;
  const names = tag['value_downsamplers'];
  const companions = tag['with'];
  return {
    type,
    valueDownsamplers: Array.isArray(names) ? names.map(String) : null,
    isHidden: tag['hidden'] === true,
    minimum: numberOrNull(tag['minimum']),
    maximum: numberOrNull(tag['maximum']),
    with: isObject(companions) && Object.keys(companions).length > 0 ? companions : null,
  };
}

/** What stands at the y axis: `Temperature [°C]`. */
export function axisTitle({ tags }: Pick<StreamInfo, 'tags'>): string {
  const unit = textTag(tags, 'unit');
  const description = textTag(tags, 'unit_description');
  if (description === '') return unit;
  return unit === '' ? description : `${description} [${unit}]`;
}

export function isObject(value: Json | undefined): value is Tags {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOrNull(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
