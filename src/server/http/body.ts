import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = Object.freeze({
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
});

/** The type of a body, in small letters and without parameters; empty where none is said. */
export function mediaTypeOf({ headers }: Pick<FastifyRequest, 'headers'>): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/** Has the routes of this scope get bodies as they come, whatever they are: `bodyChunks` reads them. */
export function takeBodiesAsStreams(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/**
 * The bytes of a body, decompressed.
 * @param options.ownEncoding what whoever reads the bytes undoes himself.
 * @throws {Problem} 415 for an unknown compression, 400 for a broken one; 413 while reading when it is too large.
 */
export function bodyChunks(
  request: FastifyRequest,
  { sizeMaxBytes, ownEncoding }: { readonly sizeMaxBytes: number; readonly ownEncoding?: string },
): AsyncIterable<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const body = (request.body ?? []) as Readable | [];
  if (encoding === 'identity' || encoding === ownEncoding)
    return limited(body as AsyncIterable<Uint8Array>, sizeMaxBytes);
  const newDecoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (newDecoder === undefined) {
    throw new Problem(
      415,
      `content-encoding: expected one of identity, ${Object.keys(DECODERS).join(', ')}, not ${encoding}.`,
    );
  }
  if (Array.isArray(body)) return limited([], sizeMaxBytes);
  const decoder = newDecoder();
  body.on('error', (error) => decoder.destroy(error)).pipe(decoder);
  return limited(decoded(decoder, encoding), sizeMaxBytes);
}

async function* limited(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sizeMaxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeMaxBytes) {
      throw new Problem(413, `The body is larger than ${sizeMaxBytes} bytes.`, {
        code: 'BODY_TOO_LARGE',
      });
    }
    yield chunk;
  }
}

async function* decoded(
  decoder: Transform,
  encoding: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (!code.startsWith('Z_') && !code.startsWith('ERR__ERROR') && code !== 'ERR_BUFFER_TOO_LARGE')
      throw error;
    throw new Problem(400, `The body is not ${encoding}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
