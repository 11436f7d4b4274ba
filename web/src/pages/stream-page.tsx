import type { JSX } from 'preact';
import { ApiError } from '../api/api-error.ts';
import { readStream } from '../api/streams.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { streamTitle } from '../format/stream-title.ts';
import { useRequest } from '../state/use-request.ts';
import { NumericStream } from './stream/numeric-stream.tsx';
import { usePageTitle } from './use-page-title.ts';

/** One stream: its data, what it is, where it comes from, and what can be done with it. */
export function StreamPage({ id }: { readonly id: string }): JSX.Element {
  const { data: stream, error, reload } = useRequest((signal) => readStream(id, signal), [id]);
  usePageTitle(stream === null ? 'Stream' : streamTitle(stream));
  if (stream !== null) return <NumericStream stream={stream} reload={reload} />;
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState title="There is no such stream">
        <p>It was deleted, or you may not see it.</p>
        <a class="button" href="/">
          All streams
        </a>
      </EmptyState>
    );
  }
  if (error !== null)
    return <ProblemNote doing="Reading the stream" error={error} onRetry={reload} />;
  return <p class="muted">Loading …</p>;
}
