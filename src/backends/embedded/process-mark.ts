import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

const SPACE_LENGTH = 16;

interface ProcessStat {
  readonly hasEnded: boolean;
  /** In ticks since the boot: tells processes apart that have one id after the other. */
  readonly startTicks: string;
}

/**
 * Text by which processes of this machine know this one: `[process id] [start] [space]`. Empty where the system does
 * not tell: only Linux does.
 */
export function ownProcessMark(): string {
  const space = processSpace();
  const stat = statOf('self');
  return space === null || stat === null ? '' : `${process.pid} ${stat.startTicks} ${space}`;
}

/** Whether the process of a mark is known to have ended. False for one of which nothing is known. */
export function hasProcessEnded(mark: string): boolean {
  const [pid = '', startTicks, space] = mark.split(' ');
  if (!/^[1-9]\d*$/.test(pid) || space === undefined || space !== processSpace()) return false;
  if (!isThere(Number(pid))) return true;
  const stat = statOf(pid);
  // A process that others may not look at is there all the same.
  return stat !== null && (stat.hasEnded || stat.startTicks !== startTicks);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Where ids of processes mean the same: a boot of a machine, and there a namespace, as each container has its own. */
function processSpace(): string | null {
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const space = `${bootId} ${readlinkSync('/proc/self/ns/pid')}`;
    return createHash('sha256').update(space).digest('base64url').slice(0, SPACE_LENGTH);
  } catch {
    return null;
  }
}

/** See proc_pid_stat(5): the name of the program is in brackets, and may have some itself. */
function statOf(pid: string): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const startTicks = fields[19];
    // A zombie only waits for its parent to take notice.
    return startTicks === undefined ? null : { hasEnded: fields[0] === 'Z', startTicks };
  } catch {
    return null;
  }
}
