import { isInstantLetter } from '../../api/datapoint-columns.ts';
import type { DatapointColumns } from '../../api/types.ts';
import type { Column } from '../../model/block.ts';
import { exactJson } from '../../text/exact-json.ts';
import { InstantTexts } from '../../text/instant-texts.ts';

/** Rows in one text: fewer, longer ones are less work for whoever sends them. */
const ROW_COUNT_MAX = 128;

/**
 * The datapoints of columns as JSON texts, some datapoints in each: `{"t":…,"v":…}`, of a level with its start as
 * `bucket`. They are what `exactJson` makes of the objects, which are not made.
 * @param separator between datapoints.
 */
export function* rowsJson(
  columns: DatapointColumns,
  separator: string,
): Generator<string, void, undefined> {
  const rows = new RowTexts(columns);
  const rowCount = columns.timestamps.length;
  for (let from = 0; from < rowCount; from += ROW_COUNT_MAX) {
    const to = Math.min(rowCount, from + ROW_COUNT_MAX);
    let text = rows.at(from);
    for (let row = from + 1; row < to; row++) text += separator + rows.at(row);
    yield text;
  }
}

/** A column of a level. */
interface Member {
  /** What stands before its cells. */
  readonly head: string;
  readonly column: Column;
  readonly isInstant: boolean;
}

class RowTexts {
  readonly #columns: DatapointColumns;
  readonly #times: readonly Member[];
  readonly #values: readonly Member[];
  readonly #instants = new InstantTexts();

  constructor(columns: DatapointColumns) {
    this.#columns = columns;
    this.#times = membersOf(columns.t, isInstantLetter);
    this.#values = membersOf(columns.v, () => false);
  }

  at(row: number): string {
    const { timestamps, values, t, v, live } = this.#columns;
    const start = this.#instants.json(timestamps[row]!);
    if (values !== undefined) return `{"t":${start},"v":${cellJson(values[row])}}`;
    let text = `{"bucket":${start}`;
    if (t !== undefined) text += `,"t":${this.#object(this.#times, row)}`;
    if (v !== undefined) text += `,"v":${this.#object(this.#values, row)}`;
    return live?.[row] === 1 ? `${text},"live":true}` : `${text}}`;
  }

  #object(members: readonly Member[], row: number): string {
    let text = '{';
    for (const { head, column, isInstant } of members) {
      const cell = column[row];
      const isTime = isInstant && typeof cell === 'number' && !Number.isNaN(cell);
      text += head + (isTime ? this.#instants.json(cell) : cellJson(cell));
    }
    return `${text}}`;
  }
}

function membersOf(
  columns: Readonly<Record<string, Column>> | undefined,
  isInstant: (letter: string) => boolean,
): readonly Member[] {
  return Object.entries(columns ?? {}).map(([letter, column], index) => ({
    head: `${index === 0 ? '' : ','}${JSON.stringify(letter)}:`,
    column,
    isInstant: isInstant(letter),
  }));
}

function cellJson(cell: unknown): string {
  return exactJson(cell ?? null);
}
