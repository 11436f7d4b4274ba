import type { JSX } from 'preact';
import { ApiError } from '../api/api-error.ts';
import { deleteStream, readStream } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { ConfirmButton } from '../components/confirm-button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { HowToSend } from '../components/how-to-send.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { streamTitle } from '../format/stream-title.ts';
import { navigate } from '../router/location.ts';
import { useRequest } from '../state/use-request.ts';
import { AccessPanel } from './stream/access-panel.tsx';
import { FactsPanel } from './stream/facts-panel.tsx';
import { GraphStream } from './stream/graph-stream.tsx';
import { NominalStream } from './stream/nominal-stream.tsx';
import { NumericStream } from './stream/numeric-stream.tsx';
import { RelationsPanel } from './stream/relations-panel.tsx';
import { TagsPanel } from './stream/tags-panel.tsx';
import { usePageTitle } from './use-page-title.ts';

/** One stream: its data, what it is, where it comes from, and what can be done with it. */
export function StreamPage({ id }: { readonly id: string }): JSX.Element {
  const { data: stream, error, reload } = useRequest((signal) => readStream(id, signal), [id]);
  usePageTitle(stream === null ? 'Stream' : streamTitle(stream));
  // Also while the page is open: a stream can be deleted, and a grant taken back.
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) {
    return (
      <EmptyState title="There is no such stream">
        <p>It was deleted, or you may not see it.</p>
        <a class="button" href="/">
          All streams
        </a>
      </EmptyState>
    );
  }
  if (stream === null) {
    if (error === null) return <p class="muted">Loading …</p>;
    return <ProblemNote doing="Reading the stream" error={error} onRetry={reload} />;
  }
  const maySend = stream.permissions.includes('append') && stream.derivedFrom === null;
  return (
    <>
      <StreamData stream={stream} reload={reload} />
      {maySend && (
        <section class="panel">
          <details open={stream.latestDatapoint === null}>
            <summary>How to send data here</summary>
            <HowToSend stream={stream} />
          </details>
        </section>
      )}
      <div class="columns">
        <div>
          <TagsPanel stream={stream} reload={reload} />
          <RelationsPanel stream={stream} />
          {stream.permissions.includes('grant') && <AccessPanel stream={stream} />}
        </div>
        <div>
          <FactsPanel stream={stream} />
          {stream.permissions.includes('delete') && <DeletePanel stream={stream} />}
        </div>
      </div>
    </>
  );
}

function StreamData(props: {
  readonly stream: StreamInfo;
  readonly reload: () => void;
}): JSX.Element {
  if (props.stream.valueType === 'nominal') return <NominalStream {...props} />;
  if (props.stream.valueType === 'graph') return <GraphStream {...props} />;
  return <NumericStream {...props} />;
}

function DeletePanel({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const title = streamTitle(stream);
  return (
    <p>
      <ConfirmButton
        label="Delete the stream"
        question={`Delete ${title}?`}
        doing="Deleting the stream"
        onConfirm={async () => {
          await deleteStream(stream.id);
          navigate('/');
        }}
      >
        <p>All of its datapoints and levels are deleted with it. This cannot be taken back.</p>
        {stream.contributesTo.length > 0 && (
          <p>{stream.contributesTo.length} streams are derived from it.</p>
        )}
      </ConfirmButton>
    </p>
  );
}
