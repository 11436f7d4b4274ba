import { Presets, SingleBar } from 'cli-progress';
import type { CliIo } from './cli-io.ts';

/** Work shorter than this shows no bar. */
const SHOWN_AFTER_MS = 1000;

/** A bar on stderr for work that takes longer than a second, drawn only on a terminal. */
export interface Progress {
  update(done: number, options: { readonly total: number; readonly note?: string }): void;
  stop(): void;
}

/** Prepares a bar; nothing is drawn before the first update that comes later than a second from now. */
export function startProgress(io: CliIo, label: string): Progress {
  if (!io.isTerminal.stderr) return { update() {}, stop() {} };
  const startMs = io.now().getTime();
  let bar: SingleBar | null = null;
  return {
    update(done, { total, note = '' }) {
      if (bar === null) {
        if (io.now().getTime() - startMs < SHOWN_AFTER_MS) return;
        bar = newBar(io, label);
        bar.start(total, done, { note });
      }
      bar.setTotal(total);
      bar.update(done, { note });
    },
    stop() {
      bar?.stop();
    },
  };
}

function newBar(io: CliIo, label: string): SingleBar {
  return new SingleBar(
    {
      format: `${label} {bar} {percentage}% | {value}/{total} | {note}`,
      // The package asks for the narrower type of process.stderr, and writes to it alone.
      stream: io.stderr as NodeJS.WritableStream,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
}
