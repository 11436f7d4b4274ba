import { connect } from 'node:net';
import { findProgram } from './files.ts';
import { startServer } from './server-process.ts';
import type { ServerProgram } from './test-server.ts';

/** Redis, which writes each command to its log before it answers. */
export const redis: ServerProgram = {
  missingReason: () =>
    findProgram('redis-server') === null ? 'no redis-server on PATH, no REDIS_URL' : null,
  start: () =>
    startServer({
      name: 'redis',
      stopSignal: 'SIGTERM',
      command: ({ folder, port }) => ({
        file: findProgram('redis-server')!,
        args: [
          ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder],
          ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
        ],
      }),
      url: (port) => `redis://127.0.0.1:${port}`,
      ask: async (port) => {
        const answer = await commandRedis(port, 'PING');
        if (answer !== '+PONG') throw new Error(answer);
      },
    }),
};

/** Sends one inline command and gives the first line of the answer. @throws when nobody answers. */
export function commandRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      answer += part;
      if (!answer.includes('\r\n')) return;
      resolve(answer.slice(0, answer.indexOf('\r\n')));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The connection ended before the answer.')));
  });
}
