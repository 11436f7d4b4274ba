import type { Step } from './history.ts';
import { PLAIN_SETTING, type Setting } from './setting.ts';

const derive = { isBackprocessed: true, isCoarse: false, hasMax: true } as const;

/** A correction takes the last reset away, after a level was complete up to it. */
const lastResetVanishes: readonly Step[] = [
  { kind: 'late', stream: 2, back: 1, value: 0.25 },
  { kind: 'append', stream: 2, gap: 0, value: 0 },
  { kind: 'derive', ...derive, op: 'counter_reset', picks: [2] },
  { kind: 'append', stream: 2, gap: 10, value: -0.25 },
  { kind: 'maintain', what: 'both', until: 10_000_000 },
  { kind: 'maintain', what: 'downsample', until: 10_000_000 },
  { kind: 'late', stream: 2, back: 1, value: -0.25 },
];

/** Resets (of stream 4) arrive when rates and their levels are there already, and take rates away. */
function resetsArriveLate(seconds: readonly number[], dependent: Step): readonly Step[] {
  return [
    { kind: 'derive', ...derive, op: 'counter_derivative', picks: [0, 0] },
    dependent,
    ...[0, 10, 30, 30].map((gap): Step => ({ kind: 'append', stream: 0, gap, value: gap + 1 })),
    { kind: 'maintain', what: 'both', until: 10_000_000 },
    { kind: 'maintain', what: 'both', until: 10_000_000 },
    ...seconds.map(
      (second, index): Step => ({
        kind: 'append',
        stream: 4,
        gap: second - (seconds[index - 1] ?? 0),
        value: 0.25,
      }),
    ),
  ];
}

/** A stream gets other statistics after all of its datapoints went, and before its levels followed. */
const changesWhenEmpty: readonly Step[] = [
  {
    kind: 'replace',
    stream: 0,
    back: 0,
    seconds: 100_000,
    rows: [
      [28, null],
      [0, 0],
    ],
  },
  { kind: 'append', stream: 0, gap: 36, value: null },
  { kind: 'append', stream: 0, gap: 6, value: null },
  { kind: 'replace', stream: 0, back: 5000, seconds: 100_000, rows: [] },
  { kind: 'downsamplers', stream: 0, kept: 0 },
  { kind: 'replace', stream: 0, back: 11, seconds: 100_000, rows: [[0, null]] },
];

/** What has not expired is deleted: the open buckets of what has are still shown. */
const keptIsDeleted: readonly Step[] = [
  { kind: 'append', stream: 0, gap: 0, value: null },
  { kind: 'append', stream: 0, gap: 500, value: null },
  { kind: 'retain', stream: 0, back: 0, gone: 0, longer: 0, isLasting: false },
  { kind: 'append', stream: 0, gap: 14, value: null },
  { kind: 'replace', stream: 0, back: 14, seconds: 100_000, rows: [] },
];

/** Only levels have expired, since raw datapoints are still needed: a datapoint from before all others arrives. */
const firstArrivesLast: readonly Step[] = [
  { kind: 'derive', ...derive, op: 'integral', picks: [0], isBackprocessed: false },
  { kind: 'late', stream: 0, back: 61, value: null },
  { kind: 'late', stream: 0, back: 1, value: null },
  { kind: 'retain', stream: 0, back: 0, gone: 1, longer: 0, isLasting: false },
  { kind: 'late', stream: 0, back: 121, value: null },
  { kind: 'append', stream: 0, gap: 0, value: 0 },
];

/** A total without an output yet holds raw datapoints back: levels wait for these, and late ones are followed. */
const rawIsHeldBack: readonly Step[] = [
  { kind: 'derive', ...derive, op: 'integral', picks: [0], isBackprocessed: false },
  { kind: 'group', stream: 0, gap: 0, values: [0] },
  { kind: 'append', stream: 0, gap: 500, value: null },
  { kind: 'retain', stream: 0, back: 0, gone: 1, longer: 0, isLasting: false },
  { kind: 'replace', stream: 0, back: 0, seconds: 100_000, rows: [] },
  { kind: 'columns', stream: 0, rows: [[10, null]] },
];

/** Minutes go on beyond the last datapoint that was left: a stream that is defined anew over them does so, too. */
const levelGoesFurther: readonly Step[] = [
  {
    kind: 'lateColumns',
    stream: 0,
    rows: [
      [121, null],
      [1, null],
    ],
  },
  { kind: 'derive', ...derive, op: 'time_shift', picks: [0], isCoarse: true, hasMax: false },
  { kind: 'maintain', what: 'both', until: 10_000_000 },
  { kind: 'replace', stream: 0, back: 1, seconds: 100_000, rows: [] },
  {
    kind: 'redefine',
    stream: 0,
    to: { op: 'sum', picks: [0], isCoarse: true, hasMax: false },
    limit: 0,
  },
];

/** While maintenance lets datapoints expire, late ones arrive: each is refused, or followed. */
const arrivesWhileExpiring: readonly Step[] = [
  {
    kind: 'columns',
    stream: 0,
    rows: [
      [22, null],
      [44, null],
    ],
  },
  { kind: 'tick', gap: 4, values: [null, null, null] },
  { kind: 'switch' },
  { kind: 'retain', stream: 1, back: 71, gone: 0, longer: 0, isLasting: true },
  {
    kind: 'together',
    rows: [
      [0, null],
      [1, null],
    ],
    isMaintained: true,
  },
];

const maintain: Step = { kind: 'maintain', what: 'both', until: 10_000_000 };

/** Twenty datapoints, and what all of them lead to. */
function twenty(stream: number): readonly Step[] {
  const rows = Array.from({ length: 20 }, (_, index) => [10, index] as const);
  return [{ kind: 'columns', stream, rows }, maintain];
}

/** So much of a stream is kept before its latest datapoint; of a derived one, before the beginning. */
function expires(stream: number, back: number): Step {
  return { kind: 'retain', stream, back, gone: 0, longer: 0, isLasting: false };
}

/** A source of an aggregate has expired, another one changes where it had, and the first one leaves. */
const expiredSourceLeaves: readonly Step[] = [
  { kind: 'aggregate', seconds: 1, query: { operator: 'sum', site: 'x', isBackprocessed: true } },
  ...twenty(0),
  ...twenty(2),
  expires(0, 20),
  { kind: 'late', stream: 2, back: 101, value: 7 },
  maintain,
  { kind: 'move', stream: 0, site: null },
];

/** A reset arrives where rates are kept as they are: the one that comes next still goes. */
const resetBeforeWhatIsKept: readonly Step[] = [
  { kind: 'derive', ...derive, op: 'counter_derivative', picks: [0, 0] },
  { kind: 'append', stream: 4, gap: 10, value: 0 },
  ...twenty(0),
  expires(0, 55),
  { kind: 'append', stream: 4, gap: 132, value: 0.25 },
];

/** A stream becomes a total when what it derives from, or itself, has expired: the total begins there. */
function becomesTotal(expired: Step): readonly Step[] {
  return [
    { kind: 'derive', ...derive, op: 'clamp', picks: [0] },
    ...twenty(0),
    expired,
    {
      kind: 'redefine',
      stream: 0,
      to: { op: 'integral', picks: [0], isCoarse: false, hasMax: true },
      limit: 0,
    },
    maintain,
    { kind: 'late', stream: 0, back: 31, value: 3 },
  ];
}

/** Of a stream whose minutes others add up, datapoints are deleted that have empty minutes behind them. */
function minutesAreLost(...deleted: readonly Step[]): readonly Step[] {
  return [
    { kind: 'derive', ...derive, op: 'sum', picks: [0], isCoarse: true },
    {
      kind: 'columns',
      stream: 0,
      rows: [
        [1, 1],
        [240, 2],
        [120, 3],
      ],
    },
    maintain,
    ...deleted,
  ];
}

/** Datapoints are deleted from so long before the latest one on. */
function deletion(back: number, seconds: number): Step {
  return { kind: 'replace', stream: 0, back, seconds, rows: [] };
}

/** Histories that are rarely met at random. */
export const EXAMPLES: [Setting, Step[]][] = [
  lastResetVanishes,
  levelGoesFurther,
  rawIsHeldBack,
  changesWhenEmpty,
  keptIsDeleted,
  firstArrivesLast,
  arrivesWhileExpiring,
  expiredSourceLeaves,
  resetBeforeWhatIsKept,
  becomesTotal(expires(0, 55)),
  becomesTotal(expires(5, -145)),
  minutesAreLost(deletion(360, 60)),
  minutesAreLost(deletion(0, 1000), deletion(240, 1000)),
  ...[[10], [40], [70], [10, 40], [40, 70], [10, 70], [10, 40, 70]].flatMap((seconds) => [
    resetsArriveLate(seconds, { kind: 'derive', ...derive, op: 'derivative', picks: [4] }),
    resetsArriveLate(seconds, {
      kind: 'derive',
      ...derive,
      op: 'sum',
      picks: [4, 0],
      isCoarse: true,
    }),
  ]),
].map((steps) => [PLAIN_SETTING, [...steps]]);
