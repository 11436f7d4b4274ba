import type { JSX } from 'preact';
import {
  type Alert,
  type AlertRule,
  liftSilence,
  readAlerts,
  type Silence,
  setSilence,
} from '../../api/alerts.ts';
import { DataTable } from '../../components/data-table.tsx';
import { Field } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { streamTitle } from '../../format/stream-title.ts';
import { useAction } from '../../state/use-action.ts';
import { useRequest } from '../../state/use-request.ts';
import { useStreamTitles } from '../../state/use-stream-titles.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { secondText } from '../../time/time-text.ts';

const DURATIONS = [
  { after: '+30m', text: 'half an hour' },
  { after: '+2h', text: 'two hours' },
  { after: '+1d', text: 'a day' },
  { after: '+7d', text: 'a week' },
] as const;

/** For how long nobody is told: see it, set it, lift it. Alerts are raised and cleared all the same. */
export function SilencesPanel({
  rule: { id, silences },
  onChanged,
}: {
  readonly rule: AlertRule;
  readonly onChanged: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const alerts = useRequest((signal) => readAlerts(id, signal), [id]);
  const titles = useStreamTitles(silences.flatMap(({ stream }) => stream ?? []));
  const lift = useAction(async (stream: string | null) => {
    await liftSilence(id, stream);
    onChanged();
  });
  const whatText = ({ stream }: Silence): string =>
    stream === null ? 'all streams' : (titles.get(stream) ?? stream);
  return (
    <section class="panel">
      <h2>Silences</h2>
      {lift.error !== null && <ProblemNote doing="Lifting the silence" error={lift.error} />}
      <DataTable<Silence>
        caption="Silences"
        rows={silences}
        keyOf={({ stream }) => stream ?? 'all'}
        empty="Whoever is to be told is told."
        columns={[
          { title: 'Of', cell: whatText },
          { title: 'Until', cell: ({ until }) => secondText(until, zone) },
          { title: 'By', cell: ({ by }) => by },
          { title: 'Why', cell: ({ reason }) => reason },
          {
            title: 'Lift',
            cell: (silence) => (
              <button
                type="button"
                class="small"
                aria-label={`Lift the silence of ${whatText(silence)}`}
                disabled={lift.isRunning}
                onClick={() => void lift.run(silence.stream)}
              >
                Lift
              </button>
            ),
          },
        ]}
      />
      <details>
        <summary>Silence it</summary>
        <Form
          doing="Silencing this"
          submit="Silence"
          onSubmit={async ({ stream = '', until = '', reason = '' }, form) => {
            await setSilence(id, { stream: stream || null, until, reason });
            form.reset();
            onChanged();
          }}
        >
          <Field label="Of" help="Alerts are raised and cleared all the same; nobody is told.">
            {(ids) => (
              <select {...ids} name="stream">
                <option value="">all streams of the rule</option>
                {(alerts.data ?? []).map(({ stream, tags }: Alert) => (
                  <option key={stream} value={stream}>
                    {streamTitle({ id: stream, tags })}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="For">
            {(ids) => (
              <select {...ids} name="until">
                {DURATIONS.map(({ after, text }) => (
                  <option key={after} value={after} selected={after === '+2h'}>
                    {text}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Why">{(ids) => <input {...ids} name="reason" maxLength={500} />}</Field>
        </Form>
      </details>
    </section>
  );
}
