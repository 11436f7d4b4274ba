import type { JSX } from 'preact';

export interface TagRow {
  readonly key: number;
  readonly name: string;
  readonly text: string;
}

/** Names and values of tags, one pair in a row. */
export function TagEditor({
  rows,
  onRows,
}: {
  readonly rows: readonly TagRow[];
  readonly onRows: (rows: readonly TagRow[]) => void;
}): JSX.Element {
  const change = (key: number, changes: Partial<TagRow>): void =>
    onRows(rows.map((row) => (row.key === key ? { ...row, ...changes } : row)));
  const nextKey = rows.reduce((key, row) => Math.max(key, row.key + 1), 0);
  return (
    <div class="tag-rows">
      {rows.map(({ key, name, text }) => (
        <div class="tag-row" key={key}>
          <input
            aria-label="Name of the tag"
            placeholder="name"
            value={name}
            onInput={({ currentTarget }) => change(key, { name: currentTarget.value })}
          />
          <input
            aria-label={`Value of ${name || 'the tag'}`}
            placeholder="value"
            value={text}
            onInput={({ currentTarget }) => change(key, { text: currentTarget.value })}
          />
          <button
            type="button"
            aria-label={`Remove ${name || 'the tag'}`}
            onClick={() => onRows(rows.filter((row) => row.key !== key))}
          >
            ×
          </button>
        </div>
      ))}
      <div>
        <button
          type="button"
          class="small"
          onClick={() => onRows([...rows, { key: nextKey, name: '', text: '' }])}
        >
          Add a tag
        </button>
      </div>
    </div>
  );
}
