import type { JSX } from 'preact';
import { readStatus } from '../../api/admin.ts';
import { ProblemNote } from '../../components/problem-note.tsx';
import { factsOf } from '../../format/facts-of.ts';
import { useRequest } from '../../state/use-request.ts';

/** What maintenance has to do, as the service tells it. */
export function StatusPanel(): JSX.Element {
  const { data, error, reload } = useRequest(readStatus, []);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Maintenance</h2>
        <span class="spacer" />
        <button type="button" class="small" onClick={reload}>
          Read again
        </button>
      </div>
      {error !== null && (
        <ProblemNote doing="Reading what is to be done" error={error} onRetry={reload} />
      )}
      {data !== null && (
        <dl class="facts">
          {factsOf(data).flatMap(({ name, text }) => [
            <dt key={name}>{name}</dt>,
            <dd key={`${name} value`}>{text}</dd>,
          ])}
        </dl>
      )}
    </section>
  );
}
