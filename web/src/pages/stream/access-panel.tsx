import type { JSX } from 'preact';
import { addGrant, readGrants } from '../../api/grants.ts';
import type { StreamInfo } from '../../api/types.ts';
import { Form } from '../../components/form.tsx';
import { GrantFields, grantOf } from '../../components/grant-fields.tsx';
import { GrantTable } from '../../components/grant-table.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { isAdmin, session } from '../../state/session.ts';
import { useObservable } from '../../state/use-observable.ts';
import { useRequest } from '../../state/use-request.ts';

const NO_NAMES = { user: [], group: [] };

/** Who may do what with a stream, for those who decide about it. */
export function AccessPanel({ stream: { id } }: { readonly stream: StreamInfo }): JSX.Element {
  const { data, error, reload } = useRequest((signal) => readGrants(id, signal), [id]);
  const who = useObservable(session);
  return (
    <section class="panel">
      <h2>Who may see this</h2>
      <p class="muted">
        {who?.publicRead === true && 'Everybody may view all streams of this service. '}
        Admins may do everything.
      </p>
      {error !== null && <ProblemNote doing="Reading the grants" error={error} onRetry={reload} />}
      {data !== null && (
        <GrantTable
          grants={data}
          isOfOneStream
          empty="Nobody else was granted anything."
          // What is granted by tags concerns other streams, too.
          mayRemove={({ target }) => target.kind === 'stream' || (who !== null && isAdmin(who))}
          onRemoved={reload}
        />
      )}
      <details>
        <summary>Let somebody in</summary>
        <Form
          doing="Granting this"
          submit="Grant"
          onSubmit={async (values, form) => {
            await addGrant({ ...grantOf(values), target: { kind: 'stream', streamId: id } });
            form.reset();
            reload();
          }}
        >
          <GrantFields names={NO_NAMES} offersCreate={false} />
        </Form>
      </details>
    </section>
  );
}
