import { InvalidBackendUrl } from '../exceptions/errors.ts';
import type { Backend, OpenBackendOptions } from './backend.ts';

type Opener = (rest: string, options: OpenBackendOptions) => Promise<Backend>;

/** By URL scheme. Each imports its backend when it is first asked for. */
const OPENERS: Readonly<Record<string, Opener>> = {
  memory: async (_rest, options) => {
    const { MemoryBackend } = await import('./memory/memory-backend.ts');
    return new MemoryBackend(options);
  },
  embedded: async (rest, options) => {
    if (rest === '') {
      throw new InvalidBackendUrl('An embedded store needs a folder, as in "embedded:./data".');
    }
    const { EmbeddedBackend } = await import('./embedded/embedded-backend.ts');
    return new EmbeddedBackend(rest, options);
  },
};

/**
 * Opens the store that a URL names: `memory:` or `embedded:PATH`.
 * @throws {InvalidBackendUrl} when the scheme is unknown or something of the URL is missing.
 * @throws {BackendUnavailable} when the store cannot be opened.
 * @throws {StoreFormatUnsupported} when a newer version has written it.
 */
export async function openBackend(url: string, options: OpenBackendOptions = {}): Promise<Backend> {
  const colon = url.indexOf(':');
  const scheme = url.slice(0, Math.max(colon, 0));
  const opener = Object.hasOwn(OPENERS, scheme) ? OPENERS[scheme] : undefined;
  if (opener === undefined) {
    const known = Object.keys(OPENERS).join(':, ');
    throw new InvalidBackendUrl(`Unknown store URL ${JSON.stringify(url)}: expected ${known}:.`);
  }
  const backend = await opener(url.slice(colon + 1), options);
  await backend.open();
  return backend;
}
