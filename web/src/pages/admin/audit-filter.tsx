import type { JSX } from 'preact';
import { Field } from '../../components/field.tsx';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { inputText, instantOfInput } from '../../time/input-time.ts';

/** Of what there are changes, as their actions begin. */
const KINDS = [
  'session',
  'user',
  'group',
  'grant',
  'token',
  'stream',
  'alert-rule',
  'dashboard',
  'job',
  'feed',
] as const;

type Wanted = Readonly<Record<string, string | null>>;

/** Who, what, to whom and when; each change of it is asked for at once. */
export function AuditFilter({
  wanted,
  onWanted,
}: {
  readonly wanted: Wanted;
  readonly onWanted: (changes: Wanted) => void;
}): JSX.Element {
  const zone = useTimeZone();
  const text = (name: string, label: string): JSX.Element => (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          type="search"
          value={wanted[name] ?? ''}
          onChange={({ currentTarget }) => onWanted({ [name]: currentTarget.value.trim() })}
        />
      )}
    </Field>
  );
  const time = (name: string, label: string): JSX.Element => (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          type="datetime-local"
          value={timeText(wanted[name] ?? null, zone)}
          onChange={({ currentTarget }) => {
            const instantMs = instantOfInput(currentTarget.value, zone);
            onWanted({ [name]: instantMs === null ? null : new Date(instantMs).toISOString() });
          }}
        />
      )}
    </Field>
  );
  return (
    <search class="filters">
      {text('actor', 'Who')}
      <Field label="Did">
        {(ids) => (
          <select
            {...ids}
            value={wanted['action'] ?? ''}
            onChange={({ currentTarget }) => onWanted({ action: currentTarget.value })}
          >
            <option value="">anything</option>
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {kind} …
              </option>
            ))}
          </select>
        )}
      </Field>
      {text('target', 'To')}
      {time('from', 'From')}
      {time('to', 'Until')}
    </search>
  );
}

function timeText(iso: string | null, zone: string): string {
  const instantMs = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(instantMs) ? '' : inputText(instantMs, zone);
}
