import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { readStatistics, type Statistics } from '../../api/statistics.ts';
import { ProblemNote } from '../../components/problem-note.tsx';
import { numberText } from '../../format/number-text.ts';
import { CERTAINTY_TEXT, countText, sizeText } from '../../format/statistics.ts';
import { useNow } from '../../state/use-now.ts';
import { useRequest } from '../../state/use-request.ts';
import { agoText, durationText } from '../../time/time-text.ts';

const POLL_MS = 5000;
/** Counting a store mostly takes no longer. */
const COUNTING_POLL_MS = 1000;

interface Total {
  readonly name: string;
  readonly text: string;
  /** What one should know of the number. */
  readonly note?: string;
}

/** The store and what comes into it, in a few numbers. */
export function TotalsPanel(): JSX.Element {
  const [pollMs, setPollMs] = useState(POLL_MS);
  const nowMs = useNow(pollMs);
  const { data, error, reload } = useRequest(readStatistics, [Math.floor(nowMs / pollMs)]);
  const isCounting = data !== null && data.totals === null;
  useEffect(() => setPollMs(isCounting ? COUNTING_POLL_MS : POLL_MS), [isCounting]);
  return (
    <section class="panel">
      <h2>Now</h2>
      {error !== null && (
        <ProblemNote doing="Reading the statistics" error={error} onRetry={reload} />
      )}
      {data !== null && (
        <dl class="totals">
          {totalsOf(data, nowMs).map(({ name, text, note }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {text}
                {note !== undefined && <span class="muted below">{note}</span>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function totalsOf(statistics: Statistics, nowMs: number): readonly Total[] {
  const { totals, storeSizeBytes, appendedPerMinute, eventStreamCount, uptimeMs } = statistics;
  return [
    {
      name: 'Store',
      text: sizeText(storeSizeBytes),
      ...(storeSizeBytes === null && { note: 'this store does not tell' }),
    },
    ...(totals === null
      ? [
          { name: 'Streams', text: '…', note: 'being counted' },
          { name: 'Datapoints', text: '…', note: 'being counted' },
        ]
      : [
          { name: 'Streams', text: numberText(totals.streamCount) },
          {
            name: 'Datapoints',
            text: countText(totals.datapointCount, totals.certainty),
            note: `${CERTAINTY_TEXT[totals.certainty]} ${agoText(nowMs - Date.parse(totals.countedAt))}`,
          },
        ]),
    {
      name: 'Appended a minute',
      text: numberText(appendedPerMinute),
      note: 'by this process',
    },
    { name: 'Open event streams', text: numberText(eventStreamCount) },
    { name: 'Running for', text: durationText(uptimeMs) },
  ];
}
