// A server of a peer: on loopback, with a folder of its own, ended by its own process id.
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';

const READY_WITHIN_MS = 60_000;
const running = new Set();

/** Servers must not outlive a run that fails or is interrupted. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** Starts a program, and waits until `isReady` does not reject. @returns its child process */
export async function startServer(program, args, { env = {}, folder, isReady }) {
  const log = openSync(join(folder, 'server.log'), 'a');
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C', TZ: 'UTC', ...env },
    stdio: ['ignore', log, log],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    try {
      await isReady();
      return child;
    } catch (error) {
      if (Date.now() > deadlineMs) throw new Error(`${program} is not ready`, { cause: error });
      await pause(100);
    }
  }
}

export async function stopServer(child) {
  const hasEnded = new Promise((resolve) => child.on('exit', resolve));
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await hasEnded;
}

/** Waits until a number has not changed for some seconds: of bytes that a server still moves about. */
export async function untilStill(measure) {
  let last = -1;
  let sameCount = 0;
  for (let i = 0; i < 60 && sameCount < 10; i++) {
    await pause(500);
    const now = measure();
    sameCount = now === last ? sameCount + 1 : 0;
    last = now;
  }
  return last;
}

/** One connection to a server, kept open: a request after the other. */
export class Connection {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  #port;

  constructor(port) {
    this.#port = port;
  }

  close() {
    this.#agent.destroy();
  }

  get(path) {
    return this.#request('GET', path);
  }

  post(path, body, headers = {}) {
    return this.#request('POST', path, body, headers);
  }

  /** Sends fields as a form does. */
  postForm(path, fields) {
    const body = Buffer.from(new URLSearchParams(fields).toString());
    return this.post(path, body, { 'content-type': 'application/x-www-form-urlencoded' });
  }

  #request(method, path, body, headers = {}) {
    const { promise, resolve, reject } = withResolvers();
    const length = body === undefined ? {} : { 'content-length': body.length };
    const request = http.request(
      {
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        headers: { ...length, ...headers },
      },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks);
          if (response.statusCode < 300) resolve(answer);
          else reject(new Error(`${response.statusCode} ${answer.toString().slice(0, 300)}`));
        });
      },
    );
    request.on('error', reject);
    request.end(body);
    return promise;
  }
}

/** A port of loopback that nobody listens on. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `Promise.withResolvers`, which Node 20 has not. */
function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) =>
    Object.assign(resolvers, { resolve, reject }),
  );
  return resolvers;
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
