import type { JSX } from 'preact';
import { readTokens } from '../api/tokens.ts';
import { useRequest } from '../state/use-request.ts';
import { NewToken } from './new-token.tsx';
import { ProblemNote } from './problem-note.tsx';
import { TokenTable } from './token-table.tsx';

/** Tokens for programs: those that there are, and new ones. */
export function TokensPanel(): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readTokens(null, signal), []);
  return (
    <section class="panel">
      <h2>API tokens</h2>
      <p class="muted">
        Programs send a token in the header <code>Authorization: Bearer …</code>.
      </p>
      {error !== null ? (
        <ProblemNote doing="Reading the tokens" error={error} onRetry={reload} />
      ) : (
        data !== null && <TokenTable tokens={data} onRevoked={reload} />
      )}
      <NewToken onMade={reload} />
    </section>
  );
}
