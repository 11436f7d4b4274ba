import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { withRetries } from '../server/retry.ts';
import { InfluxFailure } from './influx-errors.ts';
import { quoteName } from './influx-text.ts';
import type { InfluxTarget } from './influx-url.ts';

/** Values of one series in the order of the asked columns; the first is the time in epoch milliseconds. */
export interface RowsAnswer {
  readonly rows: readonly (readonly unknown[])[];
  /** The server has cut the answer at a limit of its own: more rows follow. */
  readonly isCut: boolean;
}

interface QueryAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly partial?: boolean;
    readonly series?: readonly {
      readonly values?: readonly (readonly unknown[])[];
      readonly partial?: boolean;
    }[];
  }[];
}

interface Request {
  readonly path: string;
  readonly body: string;
  readonly accept: 'application/json' | 'application/csv';
}

const PAUSE_MAX_MS = 500;
/** What the server's JSON encoder says in the place of an answer with such a number. */
const INFINITE_ANSWER = /^json: .*unsupported value: (?:[+-]Inf|NaN)\s*$/;

/**
 * The data path to one database: writes as line protocol, queries as InfluxQL. The driver would build an
 * object for each row, reads JSON alone (which has no word for a sum that overflowed), keeps no text of
 * the server's own failures, and shuts itself off after one.
 */
export class InfluxHttp {
  readonly #target: InfluxTarget;
  readonly #agent: HttpAgent;
  readonly #authorization: string | null;
  readonly #writePath: string;
  readonly #queryPath: string;
  /** The measurement's policy and a dot, ready for InfluxQL. */
  readonly #policy: string;
  readonly #closing = new AbortController();
  /** The last request found nobody: until one succeeds, each is tried once. */
  #isAway = false;

  constructor(target: InfluxTarget, retentionPolicy: string) {
    this.#target = target;
    // Every request under way listens.
    setMaxListeners(0, this.#closing.signal);
    const options = { keepAlive: true, maxSockets: target.connectionCountMax };
    this.#agent = target.protocol === 'https' ? new HttpsAgent(options) : new HttpAgent(options);
    const { credentials, database } = target;
    this.#authorization =
      credentials &&
      `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
    const parameters = new URLSearchParams({ db: database, precision: 'ms', rp: retentionPolicy });
    this.#writePath = `/write?${parameters}`;
    this.#queryPath = `/query?${new URLSearchParams({ db: database, epoch: 'ms' })}`;
    this.#policy = `${quoteName(retentionPolicy)}.`;
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  /** Whether the server did not serve when it was asked last. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** The measurement as a query names it. */
  source(measurement: string): string {
    return this.#policy + quoteName(measurement);
  }

  /**
   * Writes lines whose times are epoch milliseconds; durable when it resolves. Rows that are older than
   * a retention policy of limited duration are dropped by the server, as it would have done a little later.
   * What is too large for the server goes in halves.
   */
  async write(lines: string): Promise<void> {
    try {
      await this.#repeated({ path: this.#writePath, body: lines, accept: 'application/json' });
    } catch (error) {
      if (!(error instanceof InfluxFailure)) throw error;
      const isExpired =
        error.status === 400 && error.message.includes('points beyond retention policy');
      if (isExpired) return;
      const half = lines.lastIndexOf('\n', lines.length / 2) + 1;
      if (error.status !== 413 || half === 0) throw error;
      await this.write(lines.slice(0, half));
      await this.write(lines.slice(half));
    }
  }

  /** Runs statements that change something and may be repeated. */
  async execute(statements: string): Promise<void> {
    await this.#query(statements);
  }

  /** Rows of a statement that reads one measurement; none when it does not exist. */
  async rows(statement: string): Promise<RowsAnswer> {
    return rowsOf(await this.#query(statement));
  }

  /** The same, or null when a number of the answer is not finite: JSON cannot say it. */
  async finiteRows(statement: string): Promise<RowsAnswer | null> {
    const text = await this.#repeated(this.#form(statement, 'application/json'));
    return INFINITE_ANSWER.test(text) ? null : rowsOf(answerOf(text));
  }

  /**
   * The same as CSV lines without their heading, for numbers that JSON cannot hold. The server says nothing
   * of a statement that fails on the way, and nothing of lines that it has cut off.
   */
  async csv(statement: string): Promise<readonly string[]> {
    const text = await this.#repeated(this.#form(statement, 'application/csv'));
    const [heading = '', ...lines] = text.trimEnd().split('\n');
    if (heading.startsWith('error')) throw new InfluxFailure(lines.join(' '), { status: 400 });
    return lines;
  }

  async #query(statements: string): Promise<QueryAnswer> {
    return answerOf(await this.#repeated(this.#form(statements, 'application/json')));
  }

  #form(statements: string, accept: Request['accept']): Request {
    const body = new URLSearchParams({ q: statements }).toString();
    return { path: this.#queryPath, body, accept };
  }

  async #repeated(request: Request): Promise<string> {
    const isPassing = (error: unknown): boolean =>
      error instanceof InfluxFailure && error.isPassing;
    try {
      const text = await withRetries(() => this.#send(request), {
        durationMaxMs: this.#isAway ? 0 : this.#target.retryTimeoutMs,
        pauseMaxMs: PAUSE_MAX_MS,
        isRetryable: isPassing,
        signal: this.#closing.signal,
      });
      this.#isAway = false;
      return text;
    } catch (error) {
      this.#isAway = isPassing(error);
      throw error;
    }
  }

  #send({ path, body, accept }: Request): Promise<string> {
    const { host, port, protocol, requestTimeoutMs } = this.#target;
    const bytes = Buffer.from(body);
    const isQuery = path === this.#queryPath;
    const headers: Record<string, string | number> = {
      accept,
      'content-length': bytes.length,
      'content-type': isQuery ? 'application/x-www-form-urlencoded' : 'text/plain; charset=utf-8',
    };
    if (this.#authorization !== null) headers['authorization'] = this.#authorization;
    const send = protocol === 'https' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => reject(networkFailure(cause));
      const request = send(
        {
          host,
          port,
          path,
          method: 'POST',
          headers,
          agent: this.#agent,
          signal: this.#closing.signal,
        },
        (response) => {
          textOf(response).then((text) => {
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(text);
            else reject(new InfluxFailure(errorText(text), { status }));
          }, fail);
        },
      );
      // Bounds the whole exchange: a server that is frozen keeps its connections. Others of this process
      // may have to be waited for first, and that says nothing about the server.
      let timer: NodeJS.Timeout | undefined;
      request.on('socket', () => {
        timer = setTimeout(
          () => request.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)),
          requestTimeoutMs,
        );
      });
      request.on('error', fail);
      request.on('close', () => clearTimeout(timer));
      request.end(bytes);
    });
  }
}

function rowsOf({ results }: QueryAnswer): RowsAnswer {
  const result = results?.[0];
  const series = result?.series?.[0];
  return {
    rows: series?.values ?? [],
    isCut: result?.partial === true || series?.partial === true,
  };
}

function answerOf(text: string): QueryAnswer {
  let answer: QueryAnswer;
  try {
    answer = JSON.parse(text) as QueryAnswer;
  } catch (error) {
    throw new InfluxFailure(`the answer is no JSON: ${text.slice(0, 200)}`, {
      status: 500,
      cause: error,
    });
  }
  const problem = answer.error ?? answer.results?.find((result) => result.error)?.error;
  if (problem !== undefined) {
    // A statement that is cut short by the server's end or its limits is reported in a good answer.
    const isPassing = /timeout|interrupted|closed|no space/i.test(problem);
    // A database or a policy that is not there concerns every request.
    const status = problem.includes('not found') ? 404 : 400;
    throw new InfluxFailure(problem, { status: isPassing ? 503 : status });
  }
  return answer;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function errorText(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error.slice(0, 1000) : text.slice(0, 1000);
  } catch {
    return text.slice(0, 1000);
  }
}

function networkFailure(cause: unknown): InfluxFailure {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { errors } = error as { errors?: readonly Error[] };
  const text = error.message || errors?.[0]?.message || error.name;
  return new InfluxFailure(text, { cause });
}
