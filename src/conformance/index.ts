import { aggregatesTopic } from './behaviour/aggregates.ts';
import { alignmentTopic } from './behaviour/alignment.ts';
import { changesTopic } from './behaviour/changes.ts';
import { changingLevelsTopic } from './behaviour/changing-levels.ts';
import { changingStreamsTopic } from './behaviour/changing-streams.ts';
import { correctionsTopic } from './behaviour/corrections.ts';
import { countersTopic } from './behaviour/counters.ts';
import { deletionTopic } from './behaviour/deletion.ts';
import { deriveErrorsTopic } from './behaviour/derive-errors.ts';
import { deriveTopic } from './behaviour/derive-facts.ts';
import { deriveTimeTopic } from './behaviour/derive-time.ts';
import { derivedLifeTopic } from './behaviour/derived-life.ts';
import { downsamplingTopic } from './behaviour/downsampling.ts';
import { ensureStreamTopic } from './behaviour/ensure-stream.ts';
import { extraLevelsTopic } from './behaviour/extra-levels.ts';
import { heldValuesTopic } from './behaviour/held-values.ts';
import { highAccuracyTopic } from './behaviour/high-accuracy.ts';
import { lateDataTopic } from './behaviour/late-data.ts';
import { liveTailTopic } from './behaviour/live-tail.ts';
import { maintenanceTopic } from './behaviour/maintenance.ts';
import { millisecondsTopic } from './behaviour/milliseconds.ts';
import { moreStatisticsTopic } from './behaviour/more-statistics.ts';
import { readingTopic } from './behaviour/reading.ts';
import { retentionTopic } from './behaviour/retention.ts';
import { sequencesTopic } from './behaviour/sequences.ts';
import { statisticsTopic } from './behaviour/statistics.ts';
import { tagsTopic } from './behaviour/tags.ts';
import { timestampsTopic } from './behaviour/timestamps.ts';
import { valuesTopic } from './behaviour/values.ts';
import { verifyTopic } from './behaviour/verify.ts';
import { writingTopic } from './behaviour/writing.ts';
import { changeTokensTopic } from './contract/change-tokens.ts';
import { commitsTopic } from './contract/commits.ts';
import { groupsTopic } from './contract/groups.ts';
import { leasesTopic } from './contract/leases.ts';
import { lifecycleTopic } from './contract/lifecycle.ts';
import { liveLevelsTopic } from './contract/live-levels.ts';
import { pagesTopic } from './contract/pages.ts';
import { queriesTopic } from './contract/queries.ts';
import { rowsTopic } from './contract/rows.ts';
import { type Factory, Fixture, type Runner, type Suite } from './fixture.ts';

export type { Factory, Runner, Store } from './fixture.ts';

type Topic = (suite: Suite) => void;

const TOPICS: Readonly<Record<string, Topic>> = {
  'contract: life cycle': lifecycleTopic,
  'contract: streams and queries': queriesTopic,
  'contract: commits': commitsTopic,
  'contract: groups of streams': groupsTopic,
  'contract: rows': rowsTopic,
  'contract: live levels': liveLevelsTopic,
  'contract: pages': pagesTopic,
  'contract: leases': leasesTopic,
  'contract: change tokens': changeTokensTopic,
  'behaviour: ensureStream': ensureStreamTopic,
  'behaviour: tags and queries': tagsTopic,
  'behaviour: values': valuesTopic,
  'behaviour: high accuracy': highAccuracyTopic,
  'behaviour: timestamps': timestampsTopic,
  'behaviour: milliseconds': millisecondsTopic,
  'behaviour: writing': writingTopic,
  'behaviour: reading': readingTopic,
  'behaviour: sequences': sequencesTopic,
  'behaviour: statistics': statisticsTopic,
  'behaviour: more statistics': moreStatisticsTopic,
  'behaviour: values that are held': heldValuesTopic,
  'behaviour: downsampling': downsamplingTopic,
  'behaviour: extra levels': extraLevelsTopic,
  'behaviour: late data': lateDataTopic,
  'behaviour: corrections': correctionsTopic,
  'behaviour: live tail': liveTailTopic,
  'behaviour: alignment for people': alignmentTopic,
  'behaviour: maintenance': maintenanceTopic,
  'behaviour: derived streams': deriveTopic,
  'behaviour: derived streams, counters': countersTopic,
  'behaviour: derived streams, time': deriveTimeTopic,
  'behaviour: derived streams, by tags': aggregatesTopic,
  'behaviour: derived streams, errors': deriveErrorsTopic,
  'behaviour: derived streams, life': derivedLifeTopic,
  'behaviour: changing streams': changingStreamsTopic,
  'behaviour: changing levels': changingLevelsTopic,
  'behaviour: retention': retentionTopic,
  'behaviour: deletion': deletionTopic,
  'behaviour: verify': verifyTopic,
  'behaviour: changes': changesTopic,
};

/**
 * Registers the tests that every backend has to pass: of the backend contract, and of the engine on the
 * backend. What a backend cannot do is read from `backend.supports` alone, and its absence is asserted.
 * `factory` is called once for each test.
 */
export function conformanceSuite(options: Runner & { readonly factory: Factory }): void {
  const { describe, test, factory } = options;
  const suite: Suite = {
    test(name, body) {
      test(name, async () => {
        const fixture = await Fixture.create(factory);
        try {
          await body(fixture);
        } finally {
          await fixture.store.dispose();
        }
      });
    },
  };
  for (const [name, topic] of Object.entries(TOPICS)) describe(name, () => topic(suite));
}
