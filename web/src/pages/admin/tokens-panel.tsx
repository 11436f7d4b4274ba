import type { JSX } from 'preact';
import { readUsers } from '../../api/admin.ts';
import { readTokens } from '../../api/tokens.ts';
import { NewToken } from '../../components/new-token.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { TokenTable } from '../../components/token-table.tsx';
import { useRequest } from '../../state/use-request.ts';

/** Tokens of everybody. */
export function AllTokensPanel(): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readTokens('all', signal), []);
  const users = useRequest(readUsers, []);
  return (
    <section class="panel">
      <h2>Tokens of all users</h2>
      {error !== null && <ProblemNote doing="Reading the tokens" error={error} onRetry={reload} />}
      {data !== null && (
        <TokenTable
          tokens={data}
          ownerOf={({ user }) => users.data?.find(({ id }) => id === user)?.name ?? user}
          onRevoked={reload}
        />
      )}
      {users.data !== null && users.data.length > 0 && (
        <NewToken users={users.data} onMade={reload} />
      )}
    </section>
  );
}
