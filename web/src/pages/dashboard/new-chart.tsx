import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DashboardChart } from '../../api/dashboards.ts';
import type { StreamInfo } from '../../api/types.ts';
import { Field } from '../../components/field.tsx';
import { StreamPicker } from '../../components/stream-picker.tsx';
import { SearchPreview } from './search-preview.tsx';

/** A chart to be: of streams that somebody ticks, or of those that a search finds. */
export function NewChart({
  onChart,
}: {
  readonly onChart: (chart: DashboardChart) => void;
}): JSX.Element {
  const [isOfSearch, setOfSearch] = useState(false);
  const [chosen, setChosen] = useState<readonly StreamInfo[]>([]);
  const [search, setSearch] = useState('');
  const [title, setTitle] = useState('');
  const query = search.trim();
  return (
    <section class="panel">
      <h2>Add a chart</h2>
      <Field label="Of">
        {(ids) => (
          <select
            {...ids}
            value={isOfSearch ? 'search' : 'chosen'}
            onChange={({ currentTarget }) => setOfSearch(currentTarget.value === 'search')}
          >
            <option value="chosen">streams that you choose</option>
            <option value="search">all streams of a search, now and later</option>
          </select>
        )}
      </Field>
      {isOfSearch ? (
        <SearchPreview search={search} onSearch={setSearch} />
      ) : (
        <StreamPicker chosen={chosen} onChosen={setChosen} />
      )}
      <div class="button-row">
        <input
          aria-label="Title of the chart"
          placeholder={`Title; without one, ${isOfSearch ? 'the search' : 'the names of the streams'}`}
          value={title}
          maxLength={200}
          onInput={({ currentTarget }) => setTitle(currentTarget.value)}
        />
        <button
          type="button"
          class="primary"
          disabled={isOfSearch ? query === '' : chosen.length === 0}
          onClick={() => {
            const content = isOfSearch ? { query } : { streams: chosen.map(({ id }) => id) };
            onChart({ title: title.trim(), ...content });
            setChosen([]);
            setSearch('');
            setTitle('');
          }}
        >
          Add
        </button>
      </div>
    </section>
  );
}
