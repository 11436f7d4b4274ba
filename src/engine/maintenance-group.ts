import { StreamNotFound } from '../exceptions/errors.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { type LevelMember, maintainAlike } from './alike-levels.ts';
import { ChangeRound, type Prepare } from './change-round.ts';
import type { EngineContext } from './context.ts';
import {
  type DerivedWork,
  type Family,
  familyOf,
  firstStaleRange,
  maintainDerived,
  prepareReplay,
} from './derived-maintenance.ts';
import type { FailureHandler, Lease } from './lease.ts';
import { type LevelWork, maintainLevels, prepareLevels } from './level-maintenance.ts';
import { loadOperators } from './operator-run.ts';
import { readSources } from './source-query.ts';

type Snapshots = Map<StreamId, StreamSnapshot>;

/** What is to be done for each stream of a group. */
export interface GroupWork {
  readonly derived: (streamId: StreamId) => Omit<DerivedWork, 'lease'>;
  /** Null for a stream whose levels are left alone. */
  readonly levels: (streamId: StreamId) => Omit<LevelWork, 'lease'> | null;
  /** Throws when the rest of the group should not go on. */
  readonly onFailed: FailureHandler;
}

/**
 * Maintains leased streams that do not derive from each other, many of them in each commit, so that they
 * share a flush of the disk. What others change in the meantime is done again, each stream for itself.
 */
export class MaintenanceGroup {
  readonly #context: EngineContext;
  readonly #work: GroupWork;
  /** Streams for which nothing more is done together. */
  readonly #left = new Set<Lease>();
  readonly #apart: Lease[] = [];

  constructor(context: EngineContext, work: GroupWork) {
    this.#context = context;
    this.#work = work;
  }

  async maintain(leases: readonly Lease[]): Promise<void> {
    if (leases.length > 1) await this.#maintainTogether(leases);
    else this.#setApart(leases);
    for (const lease of this.#apart) await this.#maintainAlone(lease);
  }

  async #maintainTogether(leases: readonly Lease[]): Promise<void> {
    let snapshots: Snapshots;
    try {
      snapshots = await this.#read(leases.map(({ streamId }) => streamId));
    } catch {
      // One stream that cannot be read is enough. It fails again when each is read for itself.
      this.#setApart(leases);
      return;
    }
    const stale = leases.filter(({ streamId }) => this.#isStale(snapshots.get(streamId)));
    await this.#replayTogether(stale);
    const open = leases.filter(
      (lease) => !this.#left.has(lease) && this.#work.levels(lease.streamId) !== null,
    );
    // Replayed streams have other records now, and are computed as any.
    for (const { streamId } of stale) snapshots.delete(streamId);
    await this.#computeTogether(open, snapshots);
  }

  #isStale(snapshot: StreamSnapshot | undefined): boolean {
    if (snapshot === undefined) return false;
    const { record } = snapshot;
    return firstStaleRange(record, this.#work.derived(record.id)) !== undefined;
  }

  async #maintainAlone(lease: Lease): Promise<void> {
    const { streamId } = lease;
    try {
      await maintainDerived(this.#context, { ...this.#work.derived(streamId), lease });
      const levels = this.#work.levels(streamId);
      if (levels !== null) await maintainLevels(this.#context, { ...levels, lease });
    } catch (error) {
      this.#work.onFailed(streamId, error);
    }
  }

  /**
   * Whole windows first. Of streams whose sources somebody appends to meanwhile, only what he cannot change
   * any more, and then the rest.
   */
  async #replayTogether(leases: readonly Lease[]): Promise<void> {
    const contested = await this.#replayWindows(leases, false);
    if (contested.length > 0) this.#setApart(await this.#replayWindows(contested, true));
  }

  /** Window after window of all streams at once. Gives those that others were quicker with. */
  async #replayWindows(leases: readonly Lease[], isFirstQuiet: boolean): Promise<readonly Lease[]> {
    const contested: Lease[] = [];
    let isQuiet = isFirstQuiet;
    for (let open = leases; open.length > 0; isQuiet = false) {
      const { incomplete, apart } = await this.#runRound(open, () => this.#replays(open, isQuiet));
      contested.push(...apart);
      open = incomplete;
    }
    return contested;
  }

  /** Streams that tick together first, of those with snapshots. */
  async #computeTogether(leases: readonly Lease[], snapshots: Snapshots): Promise<void> {
    const left = await this.#computeAlike(leases, snapshots);
    if (left.length === 0) return;
    const { incomplete, apart } = await this.#runRound(left, () => this.#levels(left));
    // Long ones fill commits of their own.
    this.#setApart([...incomplete, ...apart]);
  }

  /** Gives those that are left to be computed one after the other. */
  async #computeAlike(leases: readonly Lease[], snapshots: Snapshots): Promise<readonly Lease[]> {
    const members: LevelMember[] = [];
    const left: Lease[] = [];
    for (const lease of leases) {
      const snapshot = snapshots.get(lease.streamId);
      if (snapshot === undefined) left.push(lease);
      else members.push({ lease, snapshot, work: this.#work.levels(lease.streamId)! });
    }
    try {
      for (const { lease } of await maintainAlike(this.#context, members)) left.push(lease);
      return left;
    } catch {
      // It fails again, for the stream that it is about, when each is computed for itself.
      return leases;
    }
  }

  async #runRound(
    leases: readonly Lease[],
    prepareAll: () => Promise<Prepare>,
  ): Promise<Pick<ChangeRound, 'incomplete' | 'apart'>> {
    let prepare: Prepare;
    try {
      prepare = await prepareAll();
    } catch {
      // One stream that cannot be read is enough. It fails again when each is read for itself.
      return { incomplete: [], apart: leases };
    }
    const round = new ChangeRound(this.#context, (lease, error) => {
      this.#left.add(lease);
      this.#work.onFailed(lease.streamId, error);
    });
    await round.run(leases, prepare);
    return round;
  }

  #setApart(leases: readonly Lease[]): void {
    for (const lease of leases) this.#left.add(lease);
    this.#apart.push(...leases);
  }

  async #replays(leases: readonly Lease[], isQuiet: boolean): Promise<Prepare> {
    const derived = await this.#read(leases.map(({ streamId }) => streamId));
    const stale = [...derived.values()].filter((snapshot) => this.#isStale(snapshot));
    await loadOperators(stale.map(({ record }) => record));
    const named = stale.flatMap(({ record }) => record.derivation?.sources ?? []);
    const sources = await this.#read(named.map(({ streamId }) => streamId));
    const families = new Map(stale.map((snapshot) => [snapshot.record.id, snapshot]));
    return async (lease) => {
      const { streamId } = lease;
      const snapshot = families.get(streamId);
      if (snapshot === undefined) return null;
      const family = await this.#family(snapshot, sources);
      return prepareReplay(this.#context, family, {
        ...this.#work.derived(streamId),
        lease,
        isQuiet,
      });
    };
  }

  /** @param named the sources that streams name, read for all of them at once. */
  async #family(snapshot: StreamSnapshot, named: Snapshots): Promise<Family> {
    const { record } = snapshot;
    if (record.derivation?.query !== undefined) {
      return familyOf(snapshot, await readSources(this.#context.backend, record));
    }
    const list = record.derivation?.sources ?? [];
    return familyOf(snapshot, {
      list,
      streams: list.map(({ streamId }) => named.get(streamId) ?? null),
    });
  }

  async #levels(leases: readonly Lease[]): Promise<Prepare> {
    const snapshots = await this.#read(leases.map(({ streamId }) => streamId));
    return async (lease) => {
      const { streamId } = lease;
      const snapshot = snapshots.get(streamId);
      if (snapshot === undefined) throw new StreamNotFound(streamId);
      return prepareLevels(this.#context, snapshot, { ...this.#work.levels(streamId)!, lease });
    };
  }

  /** Without those that do not exist. */
  async #read(streamIds: readonly StreamId[]): Promise<Snapshots> {
    const ids = [...new Set(streamIds)];
    const found = new Map<StreamId, StreamSnapshot>();
    for (const snapshot of await this.#context.backend.readStreams(ids)) {
      if (snapshot !== null) found.set(snapshot.record.id, snapshot);
    }
    return found;
  }
}
