/** Why one line, or one datapoint, was not stored. */
export interface IngestProblem {
  /** Of the body, from 1: for JSON the number of the datapoint. Null where it is about no line in particular. */
  readonly line: number | null;
  /** Stable; of the engine, or one of `PROBLEM`. */
  readonly code: string;
  readonly detail: string;
}

/** Codes of what is found before the engine is asked. */
export const PROBLEM: {
  /** The line is not of its format. */
  readonly invalid: 'LINE_INVALID';
  readonly tooLong: 'LINE_TOO_LONG';
  /** The writer may not append to the stream, or create it. */
  readonly notPermitted: 'NOT_PERMITTED';
  /** The format has something that streams cannot hold. */
  readonly unsupported: 'NOT_SUPPORTED';
} = Object.freeze({
  invalid: 'LINE_INVALID',
  tooLong: 'LINE_TOO_LONG',
  notPermitted: 'NOT_PERMITTED',
  unsupported: 'NOT_SUPPORTED',
});

/** Why a value is not put in the place of another one. */
export function mayNotReplace(streamId: string): Pick<IngestProblem, 'code' | 'detail'> {
  const detail = `You may not replace datapoints of stream ${streamId}: that needs the permission change.`;
  return { code: PROBLEM.notPermitted, detail };
}

/** Problems of one request: all are counted, the first ones are kept. */
export class Problems {
  readonly #list: IngestProblem[] = [];
  readonly #keptMax: number;
  #count = 0;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  /** How many lines or datapoints had one. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get kept(): readonly IngestProblem[] {
    return this.#list;
  }

  add(problem: IngestProblem): void {
    this.#count++;
    if (this.#list.length < this.#keptMax) this.#list.push(problem);
  }

  /** Counts datapoints that have none of their own, and are not stored because of the others. */
  addUnnamed(count: number): void {
    this.#count += count;
  }

  /** The same about many lines. */
  addAll(lines: Iterable<number>, what: Pick<IngestProblem, 'code' | 'detail'>): void {
    for (const line of lines) this.add({ line, ...what });
  }
}

/** Text for a detail: quoted, and cut after 60 characters. */
export function abbreviate(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
