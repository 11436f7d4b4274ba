import type { Socket } from 'node:net';
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { BARE_ANSWER_HEADERS } from './answer-headers.ts';
import { PROBLEM_TYPE, Problem, problemText, sendProblem } from './problem.ts';

/** Answers a request whose address is none that a route could have. */
export function sendFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.headers(BARE_ANSWER_HEADERS);
  sendProblem(error, request, reply);
}

/** Answers what is no request of HTTP, or does not come in time, and ends its connection. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = clientProblem(error.code);
  const body = problemText(problem);
  const headers = Object.entries({
    ...BARE_ANSWER_HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${headers.join('')}\r\n${body}`);
  }
  socket.destroy();
}

function clientProblem(code: string): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'The request did not come in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'The headers of the request are too long.');
    default:
      return new Problem(400, 'This is no request of HTTP/1.1.');
  }
}
