import type { JSX } from 'preact';
import { ApiError } from '../api/api-error.ts';

/** What went wrong, in words, with a way to try again. */
export function ProblemNote({
  error,
  doing,
  onRetry,
}: {
  readonly error: unknown;
  /** What was tried: "Reading the streams". */
  readonly doing: string;
  readonly onRetry?: () => void;
}): JSX.Element {
  if (error instanceof ApiError && error.isMissingRoute) {
    return <p class="note muted">This service does not offer this: its API has no such route.</p>;
  }
  return (
    <div class="note problem" role="alert">
      <p>
        {doing} did not work. {ApiError.textOf(error)}
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
