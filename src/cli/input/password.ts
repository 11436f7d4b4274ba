import { createInterface } from 'node:readline';
import { addAbortSignal, Writable } from 'node:stream';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { readLines } from './lines.ts';

/**
 * Asks for a new password, twice and without showing it; where there is no terminal, it is the first line of
 * the input. Never an argument: those stand in lists of processes and in histories.
 * @throws {CliError} INPUT_INVALID when there is none, or the second is another one; INTERRUPTED.
 */
export async function readNewPassword(context: CommandContext, userName: string): Promise<string> {
  if (!context.io.isTerminal.stdin) return await firstLine(context);
  const [password, repeated] = await askHidden(context, [
    `New password of ${userName}: `,
    'Once more: ',
  ]);
  if (password === repeated) return password!;
  throw new CliError('INPUT_INVALID', 'These are two different passwords.');
}

async function firstLine({ io }: CommandContext): Promise<string> {
  for await (const { text } of readLines(addAbortSignal(io.signal, io.stdin))) return text;
  throw new CliError('INPUT_INVALID', 'The input has no password.');
}

/** One answer for each question. */
async function askHidden(
  { io }: CommandContext,
  questions: readonly string[],
): Promise<readonly string[]> {
  // As a terminal, readline takes the keys itself; what it would show of them goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  const interrupt = (): void => reader.close();
  io.signal.addEventListener('abort', interrupt);
  reader.on('SIGINT', interrupt);
  const answers: string[] = [];
  try {
    io.stderr.write(questions[0]!);
    for await (const line of reader) {
      answers.push(line);
      io.stderr.write(`\n${questions[answers.length] ?? ''}`);
      if (answers.length === questions.length) return answers;
    }
    throw new CliError('INTERRUPTED', 'No password was given.');
  } finally {
    io.signal.removeEventListener('abort', interrupt);
    reader.close();
  }
}
