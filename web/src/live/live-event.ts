import type { Json, Tags } from '../api/types.ts';
import type { LiveRows } from './live-columns.ts';

/** Up to which datapoint the service knows a stream. */
export interface LivePosition {
  readonly latestMs: number;
  /** How many of the newest datapoints have that timestamp. */
  readonly count: number;
}

/** What the service tells while a page is open. Instants are epoch milliseconds. */
export type LiveEvent =
  | { readonly kind: 'appended'; readonly streamId: string; readonly rows: LiveRows }
  | {
      readonly kind: 'changed' | 'levels';
      readonly streamId: string;
      /** The first instant that may have changed; null: everything may have. */
      readonly fromMs: number | null;
    }
  | { readonly kind: 'created' | 'deleted' | 'left' | 'tags'; readonly streamId: string }
  /** From here on nothing is missed; what came before has to be known from elsewhere. */
  | {
      readonly kind: 'ready';
      /** By stream; streams without datapoints are not there. */
      readonly positions: ReadonlyMap<string, LivePosition>;
    }
  /** Events were missed: everything that is shown has to be read anew. */
  | { readonly kind: 'reset' };

export const LIVE_EVENT_NAMES = [
  'ready',
  'reset',
  'appended',
  'changed',
  'levels',
  'created',
  'deleted',
  'left',
  'tags',
] as const;

/** Whether what a page knows of a stream itself, not of its datapoints, may have changed with an event. */
export function concernsStreamItself({ kind }: LiveEvent): boolean {
  return kind === 'reset' || kind === 'tags' || kind === 'deleted' || kind === 'left';
}

/** Reads an event; null when it is none that a page could use. */
export function parseLiveEvent(text: string): LiveEvent | null {
  const body = parseObject(text);
  if (body?.['kind'] === 'reset') return { kind: 'reset' };
  if (body?.['kind'] === 'ready') return { kind: 'ready', positions: positionsOf(body['streams']) };
  const streamId = body?.['streamId'];
  if (body === null || typeof streamId !== 'string') return null;
  const kind = body['kind'];
  switch (kind) {
    case 'appended': {
      const { timestamps, values } = body as { timestamps?: Json; values?: Json };
      if (!Array.isArray(timestamps) || !Array.isArray(values)) return null;
      return {
        kind: 'appended',
        streamId,
        rows: { timestamps: timestamps.map(instantMs), values },
      };
    }
    case 'changed':
      return { kind: 'changed', streamId, fromMs: boundMs(body['from']) };
    case 'levels':
      return { kind: 'levels', streamId, fromMs: earliestOf(body['levels']) };
    case 'created':
    case 'deleted':
    case 'left':
    case 'tags':
      return { kind, streamId };
    default:
      return null;
  }
}

function parseObject(text: string): Tags | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Tags) : null;
  } catch {
    return null;
  }
}

function instantMs(value: Json): number {
  return typeof value === 'number' ? value : Date.parse(String(value));
}

function boundMs(value: Json | undefined): number | null {
  if (value === null || value === undefined) return null;
  const ms = instantMs(value);
  return Number.isNaN(ms) ? null : ms;
}

/** Of levels with the first bucket that changed, the earliest one. */
function earliestOf(levels: Json | undefined): number | null {
  if (typeof levels !== 'object' || levels === null || Array.isArray(levels)) return null;
  const bounds = Object.values(levels).map((level) =>
    boundMs(typeof level === 'object' && level !== null ? (level as Tags)['from'] : level),
  );
  const known = bounds.filter((ms): ms is number => ms !== null);
  return known.length < bounds.length || known.length === 0 ? null : Math.min(...known);
}

function positionsOf(streams: Json | undefined): ReadonlyMap<string, LivePosition> {
  const positions = new Map<string, LivePosition>();
  for (const stream of Array.isArray(streams) ? streams : []) {
    const { latest, count = 1 } = stream?.position ?? {};
    const latestMs = boundMs(latest);
    if (typeof stream?.streamId !== 'string' || latestMs === null) continue;
    positions.set(stream.streamId, { latestMs, count });
  }
  return positions;
}

/** Whether raw datapoints, ascending, go as far as the service knows the stream. */
export function reaches(timestamps: readonly number[], { latestMs, count }: LivePosition): boolean {
  const lastMs = timestamps.at(-1);
  if (lastMs === undefined || lastMs < latestMs) return false;
  const equalCount = timestamps.filter((timestampMs) => timestampMs === latestMs).length;
  return lastMs > latestMs || equalCount >= count;
}
