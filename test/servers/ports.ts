import { connect, createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections. A client that keeps trying to reach a
 * killed server could otherwise be given the server's own port, connect to itself, and hold the port.
 */
const PORT_MIN = 15_000;
const PORT_COUNT = 15_000;

/** Finds a loopback port that nobody listens on at this moment. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * PORT_COUNT);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Says whether a loopback port takes connections. A frozen server's does: the system accepts for it. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
