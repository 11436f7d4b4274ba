import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { changeTags } from '../../api/streams.ts';
import type { StreamInfo } from '../../api/types.ts';
import { ProblemNote } from '../../components/problem-note.tsx';
import { TagEditor } from '../../components/tag-editor.tsx';
import { tagRows, tagsOfRows } from '../../format/tag-rows.ts';
import { tagText } from '../../format/tag-text.ts';
import { useAction } from '../../state/use-action.ts';

/** Tags of a stream, to read and, for who may, to change. */
export function TagsPanel({
  stream,
  reload,
}: {
  readonly stream: StreamInfo;
  readonly reload: () => void;
}): JSX.Element {
  const [rows, setRows] = useState<ReturnType<typeof tagRows> | null>(null);
  const save = useAction(async () => {
    await changeTags(stream.id, tagsOfRows(rows ?? []));
    setRows(null);
    reload();
  });
  const mayChange = stream.permissions.includes('change');
  return (
    <section class="panel">
      <h2>Tags</h2>
      {rows === null ? (
        <>
          <dl class="facts">
            {Object.entries(stream.tags).flatMap(([name, value]) => [
              <dt key={name}>{name}</dt>,
              <dd key={`${name} value`}>
                {typeof value === 'object' ? <code>{tagText(value)}</code> : tagText(value)}
              </dd>,
            ])}
          </dl>
          {mayChange && (
            <button type="button" onClick={() => setRows(tagRows(stream.tags))}>
              Change the tags
            </button>
          )}
        </>
      ) : (
        <>
          {save.error !== null && <ProblemNote doing="Saving the tags" error={save.error} />}
          <TagEditor rows={rows} onRows={setRows} />
          <p class="muted help">
            A value may be JSON: a number, true, a list, an object; everything else is a text.
          </p>
          <div class="button-row">
            <button
              type="button"
              class="primary"
              disabled={save.isRunning}
              onClick={() => void save.run()}
            >
              Save
            </button>
            <button type="button" onClick={() => setRows(null)}>
              Cancel
            </button>
          </div>
        </>
      )}
    </section>
  );
}
