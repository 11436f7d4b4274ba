import type { Readable } from 'node:stream';

/** The start of the time in which the child processes write. */
export const BASE_MS: number = Date.UTC(2000, 0, 1, 12);

/** Collects the complete lines of a stream as JSON values; a line that was cut off does not count. */
export function linesOf<Line>(stream: Readable): readonly Line[] {
  const lines: Line[] = [];
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const pieces = `${rest}${chunk}`.split('\n');
    rest = pieces.pop()!;
    for (const piece of pieces) lines.push(JSON.parse(piece) as Line);
  });
  return lines;
}
