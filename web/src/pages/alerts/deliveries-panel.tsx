import type { JSX } from 'preact';
import { type Delivery, readDeliveries } from '../../api/alerts.ts';
import { DataTable } from '../../components/data-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { destinationText } from '../../format/alert-rule.ts';
import { useRequest } from '../../state/use-request.ts';
import { useStreamTitles } from '../../state/use-stream-titles.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';

const OUTCOME_CLASS: Readonly<Record<Delivery['outcome'], string>> = {
  waiting: 'pending',
  delivered: 'ok',
  failed: 'bad',
};

/** Who was told, who is still to be told, and why it did not work. */
export function DeliveriesPanel({
  ruleId,
  round,
}: {
  readonly ruleId: string;
  /** Another one: ask again. */
  readonly round: number;
}): JSX.Element {
  const zone = useTimeZone();
  const { data, error, reload } = useRequest(
    (signal) => readDeliveries(ruleId, signal),
    [ruleId, round],
  );
  const titles = useStreamTitles((data ?? []).flatMap(({ stream }) => stream ?? []));
  const why = ({ lastError, nextTry }: Delivery): JSX.Element | null => {
    const text = [lastError ?? '', nextTry === null ? '' : `next try ${secondText(nextTry, zone)}`]
      .filter((part) => part !== '')
      .join('; ');
    return text === '' ? null : <span class="sentence">{text}</span>;
  };
  return (
    <section class="panel">
      <h2>Deliveries</h2>
      {error !== null && (
        <ProblemNote doing="Reading the deliveries" error={error} onRetry={reload} />
      )}
      {data !== null && (
        <DataTable<Delivery>
          caption="Deliveries"
          rows={data}
          keyOf={({ id }) => id}
          empty="Nobody had to be told in the last days."
          columns={[
            { title: 'Since', cell: ({ createdAt }) => secondText(createdAt, zone) },
            { title: 'Of', cell: ({ event }) => event },
            {
              title: 'Stream',
              cell: ({ stream }) =>
                stream !== null && (
                  <a href={`/streams/${stream}`}>{titles.get(stream) ?? stream}</a>
                ),
            },
            { title: 'To', cell: ({ destination }) => destinationText(destination) },
            {
              title: 'State',
              cell: ({ outcome }) => (
                <span class={`badge ${OUTCOME_CLASS[outcome]}`}>{outcome}</span>
              ),
            },
            { title: 'Tries', isNumber: true, cell: ({ tryCount }) => String(tryCount) },
            { title: 'Why', cell: why },
          ]}
        />
      )}
    </section>
  );
}
