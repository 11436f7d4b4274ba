const CHUNK_LENGTH = 65_536;

/** Texts joined to fewer ones, about as long as a socket takes at once. */
export async function* inChunks(
  texts: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let waiting = '';
  for await (const text of texts) {
    waiting += text;
    if (waiting.length < CHUNK_LENGTH) continue;
    yield waiting;
    waiting = '';
  }
  if (waiting !== '') yield waiting;
}
