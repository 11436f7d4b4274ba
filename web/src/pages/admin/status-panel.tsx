import type { JSX } from 'preact';
import { readStatus, type StreamStatus } from '../../api/admin.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { numberText } from '../../format/number-text.ts';
import { streamTitle } from '../../format/stream-title.ts';
import { useRequest } from '../../state/use-request.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';

/** What maintenance has to do, and for which streams. */
export function StatusPanel(): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(readStatus, []);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Maintenance</h2>
        <span class="spacer" />
        <button type="button" class="small" onClick={reload}>
          Read again
        </button>
      </div>
      {error !== null && (
        <ProblemNote doing="Reading what is to be done" error={error} onRetry={reload} />
      )}
      {data !== null && data.staleCount > 0 && (
        <p>
          {numberText(data.staleCount)} of {numberText(data.streamCount)} streams have{' '}
          {numberText(data.bucketCount)} buckets to compute.
        </p>
      )}
      {data !== null && (
        <DataTable<StreamStatus>
          caption="Streams that are behind"
          rows={data.streams}
          keyOf={({ stream }) => stream}
          empty="Everything is computed."
          columns={[
            {
              title: 'Stream',
              cell: ({ stream, tags }) => (
                <a href={`/streams/${stream}`}>{streamTitle({ id: stream, tags })}</a>
              ),
            },
            {
              title: 'Buckets',
              isNumber: true,
              cell: ({ bucketCount }) => numberText(bucketCount),
            },
            {
              title: 'From',
              cell: ({ oldest, pendingBackprocess }) => {
                if (pendingBackprocess) return 'its beginning';
                return oldest === null ? '' : secondText(oldest, zone);
              },
            },
          ]}
        />
      )}
    </section>
  );
}
