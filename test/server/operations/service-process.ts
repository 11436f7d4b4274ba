import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly address: string;
  /** The way to the first admin; null as long as nothing of it was printed. */
  setupLink(): string | null;
  /** Sends the signal and waits for the end. */
  end(signalName: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  errors(): string;
}

/** Starts a service on any free port, and resolves when it listens. */
export async function startService(
  storeUrl: string,
  settings: readonly string[] = ['access.mode=open', 'log=error'],
  options: { readonly host?: string } = {},
): Promise<ServiceProcess> {
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const { host = '127.0.0.1' } = options;
  const argv = [MAIN, '--store', storeUrl, 'serve', '--host', host, '--port', '0', ...sets];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const errors: Buffer[] = [];
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const textOfErrors = (): string => Buffer.concat(errors).toString();
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, address] = /Listening on (\S+)/.exec(line) ?? [];
      if (address !== undefined) return address;
    }
    throw new Error(`the service ended: ${textOfErrors()}`);
  })();
  const address = await listening;
  child.stdout.resume();
  return {
    child,
    address,
    setupLink: () =>
      /^Make the first admin at (\S+)$/m.exec(String(Buffer.concat(printed)))?.[1] ?? null,
    errors: textOfErrors,
    end: async (signalName) => {
      child.kill(signalName);
      const [code, signal] = await exit;
      return { code, signal };
    },
  };
}
