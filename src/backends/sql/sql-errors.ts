import { BackendUnavailable, StreamAppendFailed } from '../../exceptions/errors.ts';

/**
 * A failure of the server or of the way to it, before it is put into the words of the contract. Never
 * leaves the backend; its message has no password in it.
 */
export class SqlFailure extends Error {
  /** SQLSTATE (PostgreSQL manual, appendix A); null when no answer of the server said what is wrong. */
  readonly sqlState: string | null;
  /** The connection did not outlive it, so that a commit on it may or may not have happened. */
  readonly isConnectionLost: boolean;

  /** It may have been stored all the same. */
  readonly isInDoubt: boolean;

  constructor(cause: unknown, { isInDoubt = false }: { readonly isInDoubt?: boolean } = {}) {
    super(reasonOf(cause), { cause });
    this.name = 'SqlFailure';
    this.isInDoubt = isInDoubt;
    const { code, severity } = cause as { code?: unknown; severity?: unknown };
    const isFromServer = typeof code === 'string' && typeof severity === 'string';
    this.sqlState = isFromServer ? code : null;
    this.isConnectionLost =
      this.sqlState === null ||
      severity === 'FATAL' ||
      // The whole server goes down, for example when its log finds no space: even a commit is in doubt.
      severity === 'PANIC' ||
      LOST_STATES.test(this.sqlState);
  }

  inDoubt(): SqlFailure {
    return new SqlFailure(this.cause, { isInDoubt: true });
  }

  /** Whether the same may succeed a moment later. */
  get isPassing(): boolean {
    return this.sqlState === null ? !isPermanent(this.cause) : PASSING_STATES.test(this.sqlState);
  }
}

/** Connection exceptions, shutdown and crash of the server. */
const LOST_STATES = /^(?:08...|57P0[1235])$/;
/**
 * The states above, a server that is starting (57P03) or has no free connection (53300), and transactions
 * that met others: serialization, deadlock, a prepared statement or table definition that just changed.
 */
const PASSING_STATES = /^(?:08...|57P0[1235]|53300|40001|40P01|55P03)$/;

/** What the network says when a repeat cannot help: certificates, and names that do not exist. */
function isPermanent(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' && /^(?:ENOTFOUND|CERT_|DEPTH_|UNABLE_|SELF_|ERR_)/.test(code);
}

const READ_ONLY_STATE = '25006';

/** Puts a failure of a read, of a lease or of opening into the contract's words; others pass unchanged. */
export function asUnavailable(error: unknown, location: string): unknown {
  if (!(error instanceof SqlFailure)) return error;
  return new BackendUnavailable(`The store ${location} ${explain(error)}`, { cause: error.cause });
}

/** Puts a failure of a commit that was certainly not stored into the contract's words. */
export function asAppendFailed(error: unknown, location: string): unknown {
  if (!(error instanceof SqlFailure)) return error;
  const text = `The store ${location} ${explain(error)} Nothing was stored.`;
  return new StreamAppendFailed(text, { cause: error.cause });
}

/** For a commit whose connection was lost, and the server did not come back to tell its outcome. */
export function outcomeUnknown(error: SqlFailure, location: string): StreamAppendFailed {
  return new StreamAppendFailed(
    `The store ${location} went away during a commit (${error.message}) and did not come back in time: ` +
      'it is not known whether the datapoints were stored.',
    { cause: error.cause },
  );
}

function explain({ sqlState, message }: SqlFailure): string {
  if (sqlState === null) return `cannot be reached: ${message}.`;
  if (/^28/.test(sqlState)) return `refuses the user or the password: ${message}.`;
  if (sqlState === '3D000') return `has no such database: ${message}.`;
  if (sqlState === '53100') return `has no space left: ${message}.`;
  if (sqlState === '53300') return `has no connection left: ${message}.`;
  if (sqlState === '42501') return `does not permit it: ${message}.`;
  if (sqlState === READ_ONLY_STATE) return `is read-only: ${message}.`;
  if (sqlState === '57014') return `took too long: ${message}.`;
  if (/^57P/.test(sqlState)) return `is going away: ${message}.`;
  return `refuses the statement: ${message} (SQLSTATE ${sqlState}).`;
}

/** Several addresses of one name fail as an AggregateError, whose own message is empty. */
function reasonOf(cause: unknown): string {
  const { message, errors } = (cause ?? {}) as { message?: unknown; errors?: readonly unknown[] };
  if (typeof message === 'string' && message !== '') return message.replace(/\.$/, '');
  return errors?.[0] === undefined ? String(cause) : reasonOf(errors[0]);
}
