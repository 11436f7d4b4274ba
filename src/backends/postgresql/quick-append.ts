import type { Block } from '../../model/block.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamId } from '../../model/stream.ts';
import type { Commit, CommitOutcome, Write } from '../backend.ts';
import { ByteSlices } from '../sql/byte-slices.ts';
import type { CommitClaim } from '../sql/commit-slots.ts';
import type { SqlPool } from '../sql/sql-pool.ts';
import type { LevelPlace } from './block-table.ts';
import type { RawPlaces } from './raw-places.ts';
import { encodeEntries, encodeNumberEntries, sealLimitSql, type TailLimits } from './tail-codec.ts';

/** One stream of a quick append: what is expected of it, and what goes to its tail, if anything. */
interface Item {
  readonly place: LevelPlace;
  expectedVersion: string | null;
  firstMs: number | null;
  lastMs: number | null;
  entries: Uint8Array | null;
}

/** A stream whose tail has become long. */
export interface QuickOutcome {
  readonly outcome: CommitOutcome;
  readonly longOrdinals: readonly number[];
}

/**
 * Appends small rows that are in order to tails, in one statement that is the whole commit: it locks the
 * heads, checks them, and changes them if all is as expected. Whatever does not fit is left to the long way.
 */
export class QuickAppend {
  readonly #pool: SqlPool;
  readonly #places: RawPlaces;
  readonly #sizeMaxBytes: number;
  readonly #statement: string;

  constructor(
    pool: SqlPool,
    options: { readonly schema: string; readonly places: RawPlaces; readonly limits: TailLimits },
  ) {
    this.#pool = pool;
    this.#places = options.places;
    this.#sizeMaxBytes = options.limits.sizeMaxBytes;
    this.#statement = statementOf(options.schema, options.limits);
  }

  /** The parts of a commit that this way can take; null when there is something in it that it cannot. */
  plan(commit: Commit): readonly Item[] | null {
    const { expect, create = [], update = [], writes = [], delete: deleted = [] } = commit;
    if (writes.length === 0 || create.length + update.length + deleted.length > 0) return null;
    const items = new Map<StreamId, Item>();
    const itemOf = (streamId: StreamId): Item | null => {
      let item = items.get(streamId) ?? null;
      const place = item?.place ?? this.#places.get(streamId);
      if (item === null && place !== undefined) {
        item = { place, expectedVersion: null, firstMs: null, lastMs: null, entries: null };
        items.set(streamId, item);
      }
      return item;
    };
    for (const { streamId, revision, version } of expect) {
      const item = itemOf(streamId);
      // Equal versions mean equal revisions, too.
      if (item === null || (version === undefined && revision !== undefined)) return null;
      if (version !== undefined) item.expectedVersion = String(version);
    }
    for (const write of writes) {
      if (!addWrite(write, { itemOf, sizeMaxBytes: this.#sizeMaxBytes })) return null;
    }
    return [...items.values()];
  }

  /** Null when the streams are not as expected, or a row is late, or a tail has no room. */
  async run(items: readonly Item[], claim: CommitClaim): Promise<QuickOutcome | null> {
    const { client, slot, epoch, token } = claim;
    const slices = new ByteSlices();
    for (const { entries } of items) slices.add(entries);
    const expected = shared(items.map(({ expectedVersion }) => expectedVersion));
    const first = shared(items.map(({ firstMs }) => firstMs));
    const last = shared(items.map(({ lastMs }) => lastMs));
    const size = shared(slices.sizes);
    const { rows } = await this.#pool.commitStatement<{
      claimed: string;
      long: readonly string[] | null;
    }>(this.#statement, [
      client,
      slot,
      epoch,
      token,
      items.map(({ place }) => place.ordinal),
      expected.each,
      first.each,
      last.each,
      size.each.length === 0 ? [] : slices.offsets,
      size.each,
      slices.bytes(),
      expected.all,
      first.all,
      last.all,
      size.all,
    ]);
    const [row] = rows;
    if (row?.claimed !== '1') return null;
    return {
      outcome: { isCommitted: true, version: token },
      longOrdinals: (row.long ?? []).map(Number),
    };
  }
}

/** The one value of all items, or the values of each: a tick of many streams is sent and read faster so. */
function shared<T>(values: readonly T[]): { readonly all: T | null; readonly each: readonly T[] } {
  const all = values[0]!;
  return values.every((value) => value === all) ? { all, each: [] } : { all: null, each: values };
}

/** False when the write has to go the long way. */
function addWrite(
  write: Write,
  {
    itemOf,
    sizeMaxBytes,
  }: {
    readonly itemOf: (streamId: StreamId) => Item | null;
    readonly sizeMaxBytes: number;
  },
): boolean {
  if (write.kind === 'append') {
    const item = itemOf(write.streamId);
    if (item === null || item.place.level !== levelNumber(write.granularity.name)) return false;
    if (write.block.timestamps.length > sizeMaxBytes) return false;
    return extend(item, entriesOf(write.block)) && item.entries!.length <= sizeMaxBytes;
  }
  if (write.kind === 'replace') return false;
  const { timestampMs, streamIds, values } = write;
  const { bytes, size } = encodeNumberEntries(timestampMs, values);
  return streamIds.every((streamId, i) => {
    const item = itemOf(streamId);
    const entries = bytes.subarray(i * size, (i + 1) * size);
    return item !== null && extend(item, { firstMs: timestampMs, lastMs: timestampMs, entries });
  });
}

function entriesOf(rows: Block): { firstMs: number; lastMs: number; entries: Uint8Array } {
  const { timestamps } = rows;
  return {
    firstMs: timestamps[0]!,
    lastMs: timestamps.at(-1)!,
    entries: encodeEntries(rows),
  };
}

/** False when the rows are out of order. */
function extend(
  item: Item,
  rows: { readonly firstMs: number; readonly lastMs: number; readonly entries: Uint8Array },
): boolean {
  if (item.lastMs !== null && rows.firstMs < item.lastMs) return false;
  const entries =
    item.entries === null ? rows.entries : Buffer.concat([item.entries, rows.entries]);
  item.firstMs ??= rows.firstMs;
  item.lastMs = rows.lastMs;
  item.entries = entries;
  return true;
}

/**
 * The verdict is made of the locked rows, which are the newest ones; the update then meets the same rows,
 * because nobody else can change them. Claim and update both hang on the verdict.
 */
function statementOf(schema: string, limits: TailLimits): string {
  return `WITH input AS MATERIALIZED (
    SELECT t.ordinal, coalesce(t.expected, $12::bigint) AS expected,
      coalesce(t.first_ms, $13::bigint) AS first_ms, coalesce(t.last_ms, $14::bigint) AS last_ms,
      coalesce(t.size, $15::int) AS size,
      substr($11::bytea, coalesce(t.start, (t.n::int - 1) * $15::int + 1),
        greatest(coalesce(t.size, $15::int), 0)) AS entries
    FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::int[], $10::int[])
      WITH ORDINALITY AS t (ordinal, expected, first_ms, last_ms, start, size, n)
  ), locked AS MATERIALIZED (
    SELECT h.ordinal, h.version, h.latest_ms, octet_length(h.tail) AS size
    FROM ${schema}.heads h WHERE h.ordinal = ANY($5::bigint[])
    ORDER BY h.ordinal FOR NO KEY UPDATE
  ), verdict AS MATERIALIZED (
    SELECT count(*) = cardinality($5::bigint[]) AND bool_and(
      (i.expected IS NULL OR i.expected = l.version)
      AND (i.size < 0 OR (
        i.first_ms >= coalesce(l.latest_ms, i.first_ms)
        AND l.size + i.size <= ${limits.sizeMaxBytes}
      ))
    ) AS is_good
    FROM locked l JOIN input i USING (ordinal)
  ), claimed AS (
    UPDATE ${schema}.writers SET token = $4, changed_at = clock_timestamp()
    WHERE client = $1 AND slot = $2 AND epoch = $3 AND (SELECT is_good FROM verdict)
    RETURNING 1
  ), changed AS (
    UPDATE ${schema}.heads h SET version = $4, latest_ms = i.last_ms,
      earliest_ms = coalesce(h.earliest_ms, i.first_ms), tail = h.tail || i.entries
    FROM input i
    WHERE h.ordinal = i.ordinal AND i.size >= 0 AND EXISTS (SELECT FROM claimed)
    RETURNING h.ordinal, octet_length(h.tail) > ${sealLimitSql(limits)} AS is_long
  )
  SELECT (SELECT count(*) FROM claimed) AS claimed,
    (SELECT array_agg(ordinal) FROM changed WHERE is_long) AS long`;
}
