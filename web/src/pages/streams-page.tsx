import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { LiveBadge } from '../components/live-badge.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { SearchField } from '../components/search-field.tsx';
import { StreamRow } from '../components/stream-row.tsx';
import { useMedia } from '../components/use-media.ts';
import { VirtualList } from '../components/virtual-list.tsx';
import type { RowsInSight } from '../components/visible-rows.ts';
import { withCondition } from '../format/search-query.ts';
import { SummaryStore } from '../live/summary-store.ts';
import { useLive } from '../live/use-live.ts';
import { place, replaceQuery } from '../router/location.ts';
import { useNow } from '../state/use-now.ts';
import { useObservable } from '../state/use-observable.ts';
import { useStreamList } from '../state/use-stream-list.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { usePageTitle } from './use-page-title.ts';

const ROW_PX = 56;
const PHONE_ROW_PX = 92;
/** Rows before the end of what is loaded at which more is read. */
const AHEAD_COUNT = 40;

/** All streams, live: search, last values, how they went. */
export function StreamsPage(): JSX.Element {
  usePageTitle('Streams');
  const { query } = useObservable(place);
  const search = query['q'] ?? '';
  const list = useStreamList(search);
  const [store] = useState(() => new SummaryStore());
  const [range, setRange] = useState<RowsInSight>({ first: 0, end: 0 });
  const visibleIds = list.streams.slice(range.first, range.end).map(({ id }) => id);
  const live = useLive(visibleIds, {
    // A row that was in sight before is not read anew: it has to be told how far its stream is.
    resumes: false,
    onEvent: (event) => {
      store.take(event, visibleIds);
      if (event.kind === 'deleted' || event.kind === 'left') list.remove(event.streamId);
    },
  });
  const nowMs = useNow(1000);
  const zone = useTimeZone();
  const rowPx = useMedia('(max-width: 48rem)') ? PHONE_ROW_PX : ROW_PX;

  useEffect(() => {
    if (range.end + AHEAD_COUNT >= list.streams.length) list.loadMore();
  }, [range.end, list.streams.length]);

  return (
    <>
      <div class="page-head">
        <h1>Streams</h1>
        <SearchField />
        <span class="count" aria-live="polite">
          {countText(list.streams.length, list.hasMore, list.isLoading)}
        </span>
        {visibleIds.length > 0 && <LiveBadge live={live} />}
      </div>
      {list.error !== null && (
        <ProblemNote doing="Reading the streams" error={list.error} onRetry={list.reload} />
      )}
      {list.streams.length === 0 && !list.isLoading && list.error === null ? (
        <NoStreams search={search} onClear={() => replaceQuery({ q: null })} />
      ) : (
        <VirtualList<StreamInfo>
          items={list.streams}
          rowPx={rowPx}
          label="Streams"
          keyOf={({ id }) => id}
          onRange={setRange}
          renderRow={(stream) => (
            <StreamRow
              stream={stream}
              summary={store.summaryOf(stream)}
              nowMs={nowMs}
              zone={zone}
              onTag={(name, value) => replaceQuery({ q: withCondition(search, name, value) })}
            />
          )}
        />
      )}
    </>
  );
}

function countText(count: number, hasMore: boolean, isLoading: boolean): string {
  if (count === 0) return isLoading ? 'Loading …' : '';
  return `${count}${hasMore ? '+' : ''} ${count === 1 ? 'stream' : 'streams'}`;
}

function NoStreams({
  search,
  onClear,
}: {
  readonly search: string;
  readonly onClear: () => void;
}): JSX.Element {
  if (search !== '') {
    return (
      <EmptyState title="No stream has such tags">
        <p>
          Nothing matches <code>{search}</code>. Words are looked for in all tags;{' '}
          <code>name=value</code> asks for one tag.
        </p>
        <button type="button" onClick={onClear}>
          Show all streams
        </button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="There are no streams yet">
      <p>A stream is made of tags that say what it is, and of datapoints that you send.</p>
      <p>
        <a class="button primary" href="/send">
          Create a stream and send data to it
        </a>
      </p>
      <p class="muted">
        Or run <code>datastream collect</code> to sample this machine.
      </p>
    </EmptyState>
  );
}
