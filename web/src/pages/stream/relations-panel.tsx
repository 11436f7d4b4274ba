import type { JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import { useStreamTitles } from '../../state/use-stream-titles.ts';

/** What a stream is derived from, and what is derived from it. */
export function RelationsPanel({ stream }: { readonly stream: StreamInfo }): JSX.Element | null {
  const { derivedFrom, contributesTo } = stream;
  const ids = [
    ...(derivedFrom?.sources.flatMap((source) => source.stream ?? []) ?? []),
    ...contributesTo.map(({ streamId }) => streamId),
  ];
  const titles = useStreamTitles(ids);
  if (derivedFrom === null && contributesTo.length === 0) return null;
  const link = (id: string, note: string): JSX.Element => (
    <li key={id}>
      <a href={`/streams/${id}`}>{titles.get(id) ?? id}</a>
      <span class="muted">{note}</span>
    </li>
  );
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Derivation</h2>
        <span class="spacer" />
        <a href={`/derivations?stream=${stream.id}`}>Show in the graph</a>
      </div>
      {derivedFrom !== null && (
        <>
          <h3>
            {derivedFrom.op} of {derivedFrom.sources.length === 1 ? 'this stream' : 'these streams'}
          </h3>
          <ul class="list-links">
            {derivedFrom.sources.map((source, index) => {
              const note = [source.name, source.granularity].filter(Boolean).join(', ');
              if (source.stream !== null) return link(source.stream, note);
              return (
                // The sources of a stream stay where they are.
                <li key={index}>
                  A stream that you may not see
                  <span class="muted">{note}</span>
                </li>
              );
            })}
          </ul>
        </>
      )}
      {contributesTo.length > 0 && (
        <>
          <h3>Others are derived from it</h3>
          <ul class="list-links">{contributesTo.map(({ streamId, op }) => link(streamId, op))}</ul>
        </>
      )}
    </section>
  );
}
