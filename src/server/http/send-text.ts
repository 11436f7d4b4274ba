import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { inChunks } from './chunks.ts';
import { refusingArguments } from './problem.ts';

/**
 * Answers with text that is made while it is sent. What fails before the first part is an answer of its own; what
 * fails later ends the connection, so that nobody takes a part for the whole.
 */
export async function sendText(
  reply: FastifyReply,
  { type, parts }: { readonly type: string; readonly parts: AsyncIterable<string> },
): Promise<FastifyReply> {
  const chunks = inChunks(parts)[Symbol.asyncIterator]();
  const first = await refusingArguments(() => chunks.next());
  if (reply.request.method === 'HEAD') {
    // Nobody takes the rest, which would be made nevertheless.
    await chunks.return?.();
    return reply.type(type).send(Readable.from([]));
  }
  async function* all(): AsyncGenerator<string, void, undefined> {
    for (let item = first; item.done !== true; item = await chunks.next()) yield item.value;
  }
  return reply.type(type).send(Readable.from(all(), { objectMode: false }));
}
