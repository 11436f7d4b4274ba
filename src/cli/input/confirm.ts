import { addAbortSignal } from 'node:stream';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { readLines } from './lines.ts';

/**
 * Asks before data goes.
 * @throws {CliError} `CONFIRMATION_REQUIRED` when the answer is not yes, or there is nobody to ask.
 */
export async function confirm({ io }: CommandContext, question: string): Promise<void> {
  if (!io.isTerminal.stdin) {
    throw new CliError('CONFIRMATION_REQUIRED', `${question} There is no terminal to ask: --yes.`);
  }
  io.stderr.write(`${question} [y/N] `);
  for await (const { text } of readLines(addAbortSignal(io.signal, io.stdin))) {
    if (/^y(?:es)?$/i.test(text.trim())) return;
    break;
  }
  throw new CliError('CONFIRMATION_REQUIRED', 'Not confirmed, nothing was deleted.');
}
