import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.ts';

/** What Node.js says of requests that it cannot read, as status and sentence; others are not HTTP at all. */
const REFUSALS: Readonly<Record<string, readonly [status: number, detail: string]>> = Object.freeze(
  {
    HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
    ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come to its end in time.'],
    HPE_INVALID_METHOD: [400, 'There is no such method.'],
  },
);
const NOT_HTTP = [400, 'The request is not HTTP.'] as const;

/** Answers a request that no route ever sees, and ends its connection. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  // Nobody is there any more.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, detail] = REFUSALS[error.code ?? ''] ?? NOT_HTTP;
  const body = JSON.stringify(problemBody(new Problem(status, detail)));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
