import type { JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { instantText } from '../../time/time-text.ts';

/** What a stream is, and how far its levels are. */
export function FactsPanel({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const zone = useTimeZone();
  const time = (iso: string | null | undefined, otherwise: string): string =>
    iso ? instantText(Date.parse(iso), zone) : otherwise;
  const retention = (level: string): string => stream.retention?.[level] ?? 'for ever';
  return (
    <section class="panel">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd>
          <code>{stream.id}</code> <CopyButton text={stream.id} />
        </dd>
        <dt>Values</dt>
        <dd>
          {stream.valueType}, {stream.valueDownsamplers.join(', ')}
        </dd>
        <dt>First datapoint</dt>
        <dd>{time(stream.earliestDatapoint, 'none yet')}</dd>
        <dt>Newest datapoint</dt>
        <dd>{time(stream.latestDatapoint, 'none yet')}</dd>
        <dt>Zone of its days</dt>
        <dd>{stream.timeZone}</dd>
        <dt>You may</dt>
        <dd>{stream.permissions.join(', ')}</dd>
      </dl>
      <DataTable<string>
        caption="Levels"
        rows={['raw', ...stream.levels]}
        keyOf={(level) => level}
        empty=""
        columns={[
          { title: 'Level', cell: (level) => level },
          {
            title: 'Computed until',
            cell: (level) =>
              level === 'raw' ? '' : time(stream.downsampledUntil[level], 'not yet'),
          },
          { title: 'Kept', cell: retention },
          {
            title: 'Expired until',
            cell: (level) =>
              time(stream.expiredUntil[level === 'raw' ? stream.highestGranularity : level], '–'),
          },
        ]}
      />
    </section>
  );
}
