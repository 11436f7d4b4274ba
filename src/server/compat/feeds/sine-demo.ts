import type { Job } from '../../jobs/job.ts';
import type { Collection } from '../../state/collection.ts';
import type { StateStore } from '../../state/state-store.ts';
import { DEMOS, type Feed, type SineDemo } from './feed-record.ts';
import type { Feeds } from './feeds.ts';

const FEED_NAME = 'sin wave';
const STEP = 0.1;
const FULL_TURN = 2 * Math.PI;
const RADIANS_PER_DEGREE = Math.PI / 180;
/** Axes, by the degrees that they are ahead. */
const AXES: readonly string[] = ['0', '45', '90'];

interface Parts {
  readonly state: StateStore;
  readonly feeds: Feeds;
}

/** Whether the demo is on stands in the state: for every process, and over restarts. */
export class SineDemoSwitch {
  readonly #demos: Collection<SineDemo>;
  readonly #feeds: Feeds;

  constructor({ state, feeds }: Parts) {
    this.#demos = state.collection(DEMOS);
    this.#feeds = feeds;
  }

  get isOn(): boolean {
    return this.#demos.get('sine')?.isOn ?? false;
  }

  /**
   * Switches it on or off; its feed is made when it is switched on first.
   * @param ownerId whose feed it becomes.
   * @throws {ServiceError} ALREADY_EXISTS when somebody else has a feed of its name.
   */
  async toggle(ownerId: string | null): Promise<boolean> {
    if (this.isOn) {
      this.#demos.update('sine', (demo) => ({ ...demo, isOn: false }));
      return false;
    }
    const { id: feedId } = await this.#feedWithAxes(ownerId);
    const phase = this.#demos.get('sine')?.phase ?? 0;
    this.#demos.put({ id: 'sine', isOn: true, phase, feedId });
    return true;
  }

  /** Posts the next value to each axis. @returns how many. */
  async post(nowMs: number): Promise<number> {
    const demo = this.#demos.get('sine');
    if (demo?.isOn !== true) return 0;
    const feed = this.#feeds.find(demo.feedId);
    // Deleted by hand: there is nothing to go on with.
    if (feed === null) {
      this.#demos.update('sine', (held) => ({ ...held, isOn: false }));
      return 0;
    }
    let count = 0;
    for (const axis of feed.axes) {
      const degrees = Number(axis.name);
      const stream = Number.isFinite(degrees) ? await this.#feeds.streamOf(axis) : null;
      if (stream === null) continue;
      const value = Math.sin(demo.phase + degrees * RADIANS_PER_DEGREE);
      await this.#feeds.post(stream, { timestampMs: nowMs, value });
      count++;
    }
    const next = demo.phase + STEP;
    this.#demos.update('sine', (held) => ({ ...held, phase: next > FULL_TURN ? 0 : next }));
    return count;
  }

  async #feedWithAxes(ownerId: string | null): Promise<Feed> {
    const known = this.#demos.get('sine');
    const present = known === null ? null : this.#feeds.find(known.feedId);
    const feed = present ?? this.#feeds.create({ name: FEED_NAME, yCast: 'float', ownerId });
    for (const name of AXES) {
      const current = this.#feeds.find(feed.id)!;
      if (!current.axes.some((axis) => axis.name === name)) {
        await this.#feeds.addAxis(current, name);
      }
    }
    return feed;
  }
}

/** Posts a sine to the demo feed, while that is switched on. */
export function sineDemoJob(demo: SineDemoSwitch, now: () => Date): Job {
  return {
    name: 'demo',
    title: 'Posts a sine to a feed, while the demo is switched on',
    run: async () => ({ rowCount: await demo.post(now().getTime()) }),
  };
}
