import { setReachable } from '../state/connection.ts';
import { ApiError } from './api-error.ts';

const PREFIX = '/api/v1';

/** Proves to the service that a change is asked for by its own page; comes with the session. */
let csrfToken: string | null = null;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

let tellRefused: () => void = () => undefined;

/** Has a function called whenever the service does not know who asks. */
export function onRefused(listener: () => void): void {
  tellRefused = listener;
}

type QueryValue = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** Whether something that is there already is refused (412), not changed. */
  readonly isNew?: boolean;
  /** Default: JSON. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Address of an API resource below `/api/v1`; members of the query that are null or undefined are left out. */
export function apiUrl(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return `${PREFIX}${path}${text === '' ? '' : `?${text}`}`;
}

/**
 * Asks the service, and reads its JSON answer; null when it has none.
 * @throws {ApiError} with what the service says, or status 0 when it cannot be reached.
 */
export async function request<T>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  { query, body, isNew = false, contentType = 'application/json', signal }: RequestOptions = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = contentType;
  if (isNew) headers['if-none-match'] = '*';
  if (method !== 'GET' && csrfToken !== null) headers['x-csrf-token'] = csrfToken;
  let response: Response;
  try {
    response = await fetch(apiUrl(path, query), {
      method,
      headers,
      ...(body !== undefined && {
        body: contentType === 'application/json' ? JSON.stringify(body) : String(body),
      }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    setReachable(false);
    throw new ApiError(0, 'The service cannot be reached.');
  }
  setReachable(true);
  const text = await response.text();
  if (response.status === 401) tellRefused();
  if (!response.ok) throw problemOf(response.status, text);
  return (text === '' ? null : JSON.parse(text)) as T;
}

function problemOf(status: number, text: string): ApiError {
  try {
    const { detail, title, code, field } = JSON.parse(text);
    return new ApiError(status, detail ?? title ?? `The service answered ${status}.`, {
      code: code ?? null,
      field: field ?? null,
    });
  } catch {
    return new ApiError(status, `The service answered ${status}.`);
  }
}
