import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { readStreamStatistics, type StreamStatistics } from '../../api/statistics.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { numberText } from '../../format/number-text.ts';
import { searchQuery } from '../../format/search-query.ts';
import { CERTAINTY_TEXT, countText, sizeText } from '../../format/statistics.ts';
import { streamTitle } from '../../format/stream-title.ts';
import { place } from '../../router/location.ts';
import { useNow } from '../../state/use-now.ts';
import { useObservable } from '../../state/use-observable.ts';
import { useRequest } from '../../state/use-request.ts';
import { agoText } from '../../time/time-text.ts';

const POLL_MS = 10_000;
const PAGE_COUNT = 50;

/** One row for each stream: how much it has, how fast it grows, whose it is. */
export function StreamStatisticsPanel(): JSX.Element {
  const search = useObservable(place).query['q'] ?? '';
  const nowMs = useNow(POLL_MS);
  const { data, error, reload, cursors, setCursors } = usePage(search, nowMs);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Streams</h2>
        <span class="spacer" />
        <SearchField />
      </div>
      {error !== null && <ProblemNote doing="Reading the streams" error={error} onRetry={reload} />}
      {data !== null && (
        <DataTable<StreamStatistics>
          caption="Streams in numbers"
          rows={data.streams}
          keyOf={({ stream }) => stream}
          empty={search === '' ? 'There are no streams yet.' : 'No stream has such tags.'}
          columns={columnsAt(nowMs)}
        />
      )}
      {data !== null && (cursors.length > 0 || data.next !== null) && (
        <div class="button-row">
          <button
            type="button"
            disabled={cursors.length === 0}
            onClick={() => setCursors(cursors.slice(0, -1))}
          >
            Previous
          </button>
          <span class="muted">Page {cursors.length + 1}</span>
          <button
            type="button"
            disabled={data.next === null}
            onClick={() => data.next !== null && setCursors([...cursors, data.next])}
          >
            Next
          </button>
        </div>
      )}
      <p class="muted help">
        ≈ is an estimate from levels, which leave out nulls; “over” was not counted to its end.
        Bytes are those of datapoints and levels, about. The rate is that of the last hour.
      </p>
    </section>
  );
}

/** The page that is shown, and the cursors that lead to it; another search begins anew. */
function usePage(search: string, nowMs: number) {
  const [shown, setShown] = useState<{ search: string; cursors: readonly string[] }>({
    search,
    cursors: [],
  });
  const cursors = shown.search === search ? shown.cursors : [];
  const cursor = cursors.at(-1) ?? null;
  const request = useRequest(
    (signal) => readStreamStatistics({ ...searchQuery(search), limit: PAGE_COUNT, cursor }, signal),
    [search, cursor, Math.floor(nowMs / POLL_MS)],
  );
  const setCursors = (next: readonly string[]): void => setShown({ search, cursors: next });
  return { ...request, cursors, setCursors };
}

function columnsAt(nowMs: number) {
  return [
    {
      title: 'Stream',
      cell: ({ stream, tags }: StreamStatistics) => (
        <a href={`/streams/${stream}`}>{streamTitle({ id: stream, tags })}</a>
      ),
    },
    {
      title: 'Datapoints',
      isNumber: true,
      cell: ({ datapointCount, certainty }: StreamStatistics) => (
        <span title={CERTAINTY_TEXT[certainty]}>{countText(datapointCount, certainty)}</span>
      ),
    },
    {
      title: 'Last seen',
      cell: ({ latestDatapoint }: StreamStatistics) => (
        <span class="nowrap">
          {latestDatapoint === null ? 'never' : agoText(nowMs - Date.parse(latestDatapoint))}
        </span>
      ),
    },
    {
      title: 'A minute',
      isNumber: true,
      cell: ({ ratePerMinute }: StreamStatistics) => numberText(ratePerMinute),
    },
    {
      title: 'Bytes',
      isNumber: true,
      cell: ({ sizeBytes }: StreamStatistics) => sizeText(sizeBytes),
    },
    { title: 'Owner', cell: ({ owner }: StreamStatistics) => owner?.name ?? '–' },
  ];
}
