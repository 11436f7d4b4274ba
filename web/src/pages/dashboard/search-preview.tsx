import type { JSX } from 'preact';
import { readStreams } from '../../api/streams.ts';
import { ProblemNote } from '../../components/problem-note.tsx';
import { searchQuery } from '../../format/search-query.ts';
import { streamTitle } from '../../format/stream-title.ts';
import { useRequest } from '../../state/use-request.ts';

const SHOWN_COUNT = 30;

/** A search, with the streams that it finds now. */
export function SearchPreview({
  search,
  onSearch,
}: {
  readonly search: string;
  readonly onSearch: (search: string) => void;
}): JSX.Element {
  const { data, error } = useRequest(
    (signal) => readStreams({ ...searchQuery(search), limit: SHOWN_COUNT }, signal),
    [search],
  );
  const titles = (data?.streams ?? []).map(streamTitle);
  return (
    <div class="picker">
      <input
        type="text"
        aria-label="Search that the streams match"
        placeholder="Search tags: host=a1 load"
        maxLength={1000}
        value={search}
        onInput={({ currentTarget }) => onSearch(currentTarget.value)}
      />
      {error !== null && <ProblemNote doing="Reading the streams" error={error} />}
      {error === null && data !== null && (
        <p class="muted" aria-live="polite">
          {titles.length === 0
            ? 'No stream matches yet.'
            : `Now: ${titles.join(', ')}${data.next === null ? '' : ' and more'}`}
        </p>
      )}
    </div>
  );
}
