import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const hasProc = existsSync('/proc/self/stat');
/** Counted from the state on. */
const THREAD_COUNT_FIELD = 17;

/**
 * Lists every process below one, in no order. Process groups would not do: each PostgreSQL backend
 * leads a session of its own.
 */
export function descendantsOf(pid: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const [child, parent] of hasProc ? parentsFromProc() : parentsFromPs()) {
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), child]);
  }
  const found = [...(childrenOf.get(pid) ?? [])];
  // The list grows while it is walked, by the children of what it holds.
  for (const descendant of found) found.push(...(childrenOf.get(descendant) ?? []));
  return found;
}

/** Sends a signal, unless the process has gone. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until no such process runs. One that nobody reaps counts as gone: it holds nothing any more. */
export async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await sleep(5);
}

/** Says whether a process runs, frozen ones included. */
export function isRunning(pid: number): boolean {
  if (hasProc) {
    const fields = statOf(pid).split(' ');
    // Killed, the first thread may be through before others, which still hold the sockets.
    const isDead = /^[ZX]?$/.test(fields[0]!) && Number(fields[THREAD_COUNT_FIELD] ?? 0) <= 1;
    return !isDead;
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function parentsFromProc(): readonly (readonly [number, number])[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => [Number(pid), Number(statOf(Number(pid)).split(' ')[1])] as const);
}

function parentsFromPs(): readonly (readonly [number, number])[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return [...table.matchAll(/(\d+)\s+(\d+)/g)].map(
    (row) => [Number(row[1]), Number(row[2])] as const,
  );
}

/** Gives the state, the parent and so on of proc(5), or nothing for a process that has gone. */
function statOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the state is the first field after it.
    return stat.slice(stat.lastIndexOf(')') + 2);
  } catch {
    return '';
  }
}
