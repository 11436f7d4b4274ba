import {
  BackendUnavailable,
  DatastreamException,
  InvalidBackendUrl,
  StreamAppendFailed,
} from '../../exceptions/errors.ts';

const DUPLICATE_KEY = 11_000;
/** Answers of a server that steps down, starts, or lost sight of the others: another try may find it well. */
const PASSING_CODES: ReadonlySet<number> = new Set([
  6, 7, 64, 89, 91, 133, 134, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436,
]);
const PASSING_NAMES: ReadonlySet<string> = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoPoolClearedError',
  'MongoPoolClearedOnNetworkError',
  'PoolClearedOnNetworkError',
  // Written, and perhaps undone by a failover: the repeat waits for the other servers again.
  'MongoWriteConcernError',
  'MongoOperationTimeoutError',
]);

/** What the driver throws of its own when it reads a URL. */
const URL_ERROR_NAMES: ReadonlySet<string> = new Set([
  'MongoParseError',
  'MongoInvalidArgumentError',
]);

interface DriverError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errorResponse?: unknown;
}

export function isDuplicateKey(error: unknown): boolean {
  return (error as DriverError).code === DUPLICATE_KEY;
}

/** Whether the same may succeed later, and whether it is unknown if a write took effect. */
export function isPassing(error: unknown): boolean {
  const { name, code, errorResponse } = error as DriverError;
  // What a bulk write met on its way.
  if (name === 'MongoBulkWriteError' && errorResponse !== undefined && isPassing(errorResponse)) {
    return true;
  }
  return PASSING_NAMES.has(String(name)) || (typeof code === 'number' && PASSING_CODES.has(code));
}

export interface StoreName {
  readonly location: string;
  readonly secrets: readonly string[];
}

/** What a caller gets to see of a failure: ours as they are, the driver's wrapped. */
export function asUnavailable(error: unknown, store: StoreName): unknown {
  if (!isForeign(error)) return error;
  if (URL_ERROR_NAMES.has(String((error as DriverError).name))) {
    const text = `The driver does not understand ${store.location}: ${reason(error, store)}`;
    return new InvalidBackendUrl(text, { cause: error });
  }
  return new BackendUnavailable(`The store ${store.location} failed: ${reason(error, store)}`, {
    cause: error,
  });
}

export function asAppendFailed(error: unknown, store: StoreName): unknown {
  if (!isForeign(error)) return error;
  const doubt = isPassing(error) ? ' It is not known whether the commit was stored.' : '';
  return new StreamAppendFailed(
    `The store ${store.location} did not take the commit: ${reason(error, store)}${doubt}`,
    { cause: error },
  );
}

/** Whether the error comes from the driver or the network: assertions are no failures of a store. */
function isForeign(error: unknown): boolean {
  if (error instanceof DatastreamException) return false;
  const { name, code } = error as DriverError;
  return String(name).startsWith('Mongo') || typeof code === 'number' || isSystemCode(code);
}

function isSystemCode(code: unknown): boolean {
  return typeof code === 'string' && /^E[A-Z]+$/.test(code);
}

function reason(error: unknown, { secrets }: StoreName): string {
  let text = String((error as DriverError).message ?? error);
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return text.endsWith('.') ? text : `${text}.`;
}
