import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { sendSnippets } from '../format/send-snippets.ts';
import { session } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';
import { Field } from './field.tsx';
import { Snippet } from './snippet.tsx';

const EXAMPLES: Readonly<Record<string, string>> = {
  numeric: '21.5',
  nominal: '"open"',
  graph: '{"v": [{"i": "a"}, {"i": "b"}], "e": [{"f": "a", "t": "b"}]}',
};

/** Lines that send datapoints to a stream, ready to copy. */
export function HowToSend({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const isOpen = useObservable(session)?.mode === 'open';
  const [token, setToken] = useState('');
  const snippets = sendSnippets({
    origin: location.origin,
    streamId: stream.id,
    value: EXAMPLES[stream.valueType] ?? '1',
    token: isOpen ? null : token || 'TOKEN',
  });
  return (
    <>
      {!isOpen && (
        <Field
          label="Token"
          help="It goes into the lines below, and nowhere else. Make one under Settings, with the scope append."
        >
          {(ids) => (
            <input
              {...ids}
              value={token}
              autocomplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => setToken(currentTarget.value.trim())}
            />
          )}
        </Field>
      )}
      {snippets.map(({ language, text }) => (
        <Snippet key={language} caption={language} text={text} />
      ))}
      <p class="muted">
        <code>t</code> is when: epoch milliseconds, or ISO 8601 as in{' '}
        <code>"2026-01-31T12:00:00Z"</code>; without it, it is now. A list of such objects sends
        many at once;{' '}
        <a href="/docs" target="_blank" rel="noreferrer">
          the API
        </a>{' '}
        also takes columns, NDJSON, CSV and the line protocol of InfluxDB.
      </p>
    </>
  );
}
