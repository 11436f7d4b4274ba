// What a process has used, from Linux's /proc; undefined where there is none.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const CLOCK_TICKS_PER_SECOND = 100;
/** Of `stat`, whatever the file system's own blocks are. */
const BLOCK_SIZE_BYTES = 512;

/** The most memory that the process ever held, in mebibytes. */
export function peakRssMb(pid) {
  const kibibytes = /VmHWM:\s+(\d+)/.exec(readProc(pid, 'status'))?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}

/** Bytes that the process has the disks write: of whole pages of files, each time that one is changed after a flush. */
export function writtenBytes(pid) {
  const bytes = /^write_bytes: (\d+)/m.exec(readProc(pid, 'io'))?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}

/** Processor seconds of the process, of all of its threads. */
export function cpuSeconds(pid) {
  const stat = readProc(pid, 'stat');
  // The name of the program stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.length < 13
    ? undefined
    : (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** Sizes of all files below a folder. */
export function folderSizeBytes(folder) {
  return sumOverFiles(folder, ({ size }) => size);
}

/** What all files below a folder take of the disk: of servers that make files with holes. */
export function folderAllocatedBytes(folder) {
  return sumOverFiles(folder, ({ blocks }) => blocks * BLOCK_SIZE_BYTES);
}

function sumOverFiles(folder, measure) {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // A server may have removed it since the folder was listed.
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) sum += measure(stats);
  }
  return sum;
}

function readProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
