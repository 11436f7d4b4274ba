import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { readAllStreams } from '../api/streams.ts';
import { relatedStreams } from '../chart/related-streams.ts';
import { DerivationGraph } from '../components/derivation-graph.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { SearchField } from '../components/search-field.tsx';
import { searchQuery } from '../format/search-query.ts';
import { streamTitle } from '../format/stream-title.ts';
import { place, replaceQuery } from '../router/location.ts';
import { useObservable } from '../state/use-observable.ts';
import { useRequest } from '../state/use-request.ts';
import { usePageTitle } from './use-page-title.ts';

const STREAM_COUNT_MAX = 5000;
/** How old what is said of staleness may be. */
const REFRESH_MS = 15_000;

/** Which streams are derived from which, from sources on the left. */
export function DerivationsPage(): JSX.Element {
  usePageTitle('Derivations');
  const { query } = useObservable(place);
  const search = query['q'] ?? '';
  const focus = query['stream'] ?? null;
  const { data, error, reload } = useRequest(
    (signal) => readAllStreams(searchQuery(search), { signal, countMax: STREAM_COUNT_MAX }),
    [search],
  );
  useEffect(() => {
    const timer = setInterval(reload, REFRESH_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const related = useMemo(
    () => (data === null ? null : relatedStreams(data, focus)),
    [data, focus],
  );
  const focused = focus === null ? undefined : data?.find(({ id }) => id === focus);
  return (
    <>
      <div class="page-head">
        <h1>Derivations</h1>
        <SearchField />
        {focused !== undefined && (
          <button type="button" onClick={() => replaceQuery({ stream: null })}>
            Only around {streamTitle(focused)} ×
          </button>
        )}
      </div>
      {error !== null && <ProblemNote doing="Reading the streams" error={error} onRetry={reload} />}
      {data === null && error === null && <p class="muted">Loading …</p>}
      {related?.streams.length === 0 && (
        <EmptyState title="Nothing is derived here">
          <p>
            A derived stream is computed from others, such as the rate of a counter or the sum of
            several meters, and follows them, corrections too.
          </p>
        </EmptyState>
      )}
      {related !== null && related.streams.length > 0 && (
        <DerivationGraph streams={related.streams} edges={related.edges} focus={focus} />
      )}
    </>
  );
}
