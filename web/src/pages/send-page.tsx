import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createStream } from '../api/streams.ts';
import type { Json, StreamInfo } from '../api/types.ts';
import { Field } from '../components/field.tsx';
import { Form } from '../components/form.tsx';
import { HowToSend } from '../components/how-to-send.tsx';
import { Snippet } from '../components/snippet.tsx';
import { TagEditor, type TagRow } from '../components/tag-editor.tsx';
import { writeSnippet } from '../format/send-snippets.ts';
import { streamTitle } from '../format/stream-title.ts';
import { tagsOfRows } from '../format/tag-rows.ts';
import { session } from '../state/session.ts';
import { useObservable } from '../state/use-observable.ts';
import { usePageTitle } from './use-page-title.ts';

const FIRST_ROWS: readonly TagRow[] = [
  { key: 0, name: 'site', text: '' },
  { key: 1, name: 'sensor', text: '' },
];

/** Makes a stream, and shows how to send data to it. */
export function SendPage(): JSX.Element {
  usePageTitle('Send data');
  const isOpen = useObservable(session)?.mode === 'open';
  const [stream, setStream] = useState<StreamInfo | null>(null);
  const [rows, setRows] = useState<readonly TagRow[]>(FIRST_ROWS);
  if (stream !== null) return <Created stream={stream} onAnother={() => setStream(null)} />;
  return (
    <>
      <div class="page-head">
        <h1>Send data</h1>
      </div>
      <div class="columns">
        <section class="panel">
          <h2>Create a stream</h2>
          <Form
            doing="Creating the stream"
            submit="Create"
            onSubmit={async ({
              title = '',
              unit = '',
              valueType = 'numeric',
              granularity = '',
            }) => {
              const query = tagsOfRows(rows.filter(({ text }) => text.trim() !== ''));
              const shown: Record<string, Json> = {};
              if (title !== '') shown['title'] = title;
              if (unit !== '') shown['unit'] = unit;
              if (valueType === 'numeric') shown['visualization'] = { type: 'line' };
              setStream(
                await createStream({
                  query: Object.keys(query).length > 0 ? query : { title },
                  tags: shown,
                  valueType,
                  highestGranularity: granularity,
                  // What every store and every type of values can do.
                  ...(valueType !== 'numeric' && { valueDownsamplers: ['count'] }),
                }),
              );
            }}
          >
            <Field label="Title">
              {(ids) => <input {...ids} name="title" required maxLength={200} />}
            </Field>
            <Field label="Unit" help="As in °C, W, B/s; empty for a plain number.">
              {(ids) => <input {...ids} name="unit" maxLength={40} />}
            </Field>
            <fieldset class="choices">
              <legend>Values are</legend>
              {(
                [
                  ['numeric', 'numbers'],
                  ['nominal', 'states, such as "open"'],
                  ['graph', 'graphs'],
                ] as const
              ).map(([type, text], index) => (
                <label key={type}>
                  <input type="radio" name="valueType" value={type} defaultChecked={index === 0} />
                  {text}
                </label>
              ))}
            </fieldset>
            <Field
              label="Datapoints come at most every"
              help="The finest level that is kept; coarser ones follow by themselves."
            >
              {(ids) => (
                <select {...ids} name="granularity">
                  {['seconds', '10seconds', 'minutes', '10minutes', 'hours', 'days'].map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <fieldset class="plain">
              <legend>Tags that say which stream it is</legend>
              <TagEditor rows={rows} onRows={setRows} />
            </fieldset>
          </Form>
        </section>
        <section class="panel">
          <h2>Or send right away</h2>
          <p>
            Streams that are not there are made by the first write. The tags say which stream is
            meant:
          </p>
          <Snippet
            text={writeSnippet({ origin: location.origin, token: isOpen ? null : 'TOKEN' })}
          />
          <p>
            Telegraf and other programs that speak the line protocol of InfluxDB send to{' '}
            <code>{location.origin}/write</code> or <code>/api/v2/write</code>.
          </p>
          <p>
            <a href="/docs" target="_blank" rel="noreferrer">
              All of the API
            </a>
          </p>
        </section>
      </div>
    </>
  );
}

function Created({
  stream,
  onAnother,
}: {
  readonly stream: StreamInfo;
  readonly onAnother: () => void;
}): JSX.Element {
  return (
    <>
      <div class="page-head">
        <h1>{streamTitle(stream)} is ready</h1>
        <span class="spacer" />
        <a class="button primary" href={`/streams/${stream.id}`}>
          Open it
        </a>
        <button type="button" onClick={onAnother}>
          Create another
        </button>
      </div>
      <section class="panel">
        <h2>Send data to it</h2>
        <HowToSend stream={stream} />
      </section>
    </>
  );
}
