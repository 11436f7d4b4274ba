import type { JSX } from 'preact';
import { type ApiToken, revokeToken } from '../api/tokens.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { secondText } from '../time/time-text.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { DataTable } from './data-table.tsx';

/** When a token ends, or that it has. */
function Ending({ at, zone }: { readonly at: string | null; readonly zone: string }): JSX.Element {
  if (at === null) return <>never</>;
  const isOver = Date.parse(at) <= Date.now();
  return (
    <>
      {secondText(at, zone)} {isOver && <span class="badge">over</span>}
    </>
  );
}

/** Tokens that are good for something, to look at and to revoke. */
export function TokenTable({
  tokens,
  ownerOf,
  onRevoked,
}: {
  readonly tokens: readonly ApiToken[];
  /** Name of a token's owner; without it, all have the same one. */
  readonly ownerOf?: (token: ApiToken) => string;
  readonly onRevoked: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const time = (iso: string | null, otherwise: string): string =>
    iso === null ? otherwise : secondText(iso, zone);
  return (
    <DataTable<ApiToken>
      caption="API tokens"
      rows={tokens.filter(({ revokedAt }) => revokedAt === null)}
      keyOf={({ id }) => id}
      empty="There are no tokens."
      columns={[
        { title: 'Name', cell: ({ name }) => name },
        ...(ownerOf === undefined ? [] : [{ title: 'Of', cell: ownerOf }]),
        { title: 'May', cell: ({ scopes }) => scopes.join(', ') },
        { title: 'Made', cell: ({ createdAt }) => time(createdAt, '') },
        { title: 'Ends', cell: ({ expiresAt }) => <Ending at={expiresAt} zone={zone} /> },
        { title: 'Last used', cell: ({ lastUsedAt }) => time(lastUsedAt, 'never') },
        {
          title: 'Revoke',
          cell: ({ id, name }) => (
            <ConfirmButton
              label="Revoke"
              className="danger small"
              question={`Revoke ${name}?`}
              doing="Revoking the token"
              onConfirm={async () => {
                await revokeToken(id);
                onRevoked();
              }}
            >
              <p>Programs that use it are refused from now on.</p>
            </ConfirmButton>
          ),
        },
      ]}
    />
  );
}
