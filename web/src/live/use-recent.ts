import { useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { useObservable } from '../state/use-observable.ts';
import type { LiveRows } from './live-columns.ts';
import type { LiveEvent } from './live-event.ts';
import { SummaryStore } from './summary-store.ts';

const NONE: LiveRows = { timestamps: [], values: [] };

/** The newest raw datapoints of a stream, ascending, whatever level its chart shows. */
export function useRecent(stream: StreamInfo): {
  readonly rows: LiveRows;
  readonly take: (event: LiveEvent) => void;
} {
  const [store] = useState(() => new SummaryStore({ hasTrends: false }));
  const summary = useObservable(store.summaryOf(stream));
  return {
    rows: summary?.recent ?? NONE,
    take: (event) => store.take(event, [stream.id]),
  };
}
