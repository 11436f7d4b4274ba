// The service in a process of its own, as `datastream serve` starts it.
import { fileURLToPath } from 'node:url';
import { Connection, freePort, startServer, stopServer } from '../peers/server.mjs';
import { storeUrl } from './store.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Starts it on an embedded store in the folder, and ends it after the work. @returns what the work gives */
export async function withService(folder, work, settings = {}) {
  const port = await freePort();
  const connection = new Connection(port);
  const all = { store: storeUrl(folder), 'access.mode': 'open', log: 'error', ...settings };
  const set = Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const child = await startServer(process.execPath, [CLI, 'serve', '--port', `${port}`, ...set], {
    folder,
    isReady: () => connection.get('/readyz'),
  });
  try {
    return await work({ pid: child.pid, port, connection });
  } finally {
    connection.close();
    await stopServer(child);
  }
}
