import type { JSX } from 'preact';
import { type Grant, type GrantTarget, removeGrant } from '../api/grants.ts';
import { subjectText, targetTagsText } from '../format/grant.ts';
import { useStreamTitles } from '../state/use-stream-titles.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { secondText } from '../time/time-text.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { DataTable } from './data-table.tsx';

/** Who was granted what, to look at and to take back. */
export function GrantTable({
  grants,
  empty,
  isOfOneStream = false,
  mayRemove = () => true,
  onRemoved,
}: {
  readonly grants: readonly Grant[];
  readonly empty: string;
  /** Whether it need not be said which stream. */
  readonly isOfOneStream?: boolean;
  readonly mayRemove?: (grant: Grant) => boolean;
  readonly onRemoved: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const ids = grants.flatMap(({ target }) => (target.kind === 'stream' ? [target.streamId] : []));
  const titles = useStreamTitles(isOfOneStream ? [] : ids);
  const on = (target: GrantTarget): JSX.Element | string => {
    if (target.kind === 'query') return targetTagsText(target.tags);
    if (isOfOneStream) return 'this stream';
    return (
      <a href={`/streams/${target.streamId}`}>{titles.get(target.streamId) ?? target.streamId}</a>
    );
  };
  return (
    <DataTable<Grant>
      caption="Grants"
      rows={grants}
      keyOf={({ id }) => id}
      empty={empty}
      columns={[
        { title: 'Who', cell: ({ subject }) => subjectText(subject) },
        { title: 'May', cell: ({ permissions }) => permissions.join(', ') },
        { title: 'On', cell: ({ target }) => on(target) },
        { title: 'Since', cell: ({ createdAt }) => secondText(createdAt, zone) },
        {
          title: 'Take back',
          cell: (grant) =>
            mayRemove(grant) && (
              <ConfirmButton
                label="Take back"
                className="danger small"
                question={`Take back from ${subjectText(grant.subject)}?`}
                doing="Taking the grant back"
                onConfirm={async () => {
                  await removeGrant(grant.id);
                  onRemoved();
                }}
              >
                <p>What they may by other grants, they still may.</p>
              </ConfirmButton>
            ),
        },
      ]}
    />
  );
}
