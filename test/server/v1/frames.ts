export interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** The frames of an event stream, one by one. */
export class Frames {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(response: Response) {
    this.#reader = response.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** The next event; null at the end. Comments are passed over. */
  async next(): Promise<Frame | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const frame = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const [, id, event, data] = frame.match(/^id: (\d+)\nevent: (\w+)\ndata: (.*)$/) ?? [];
      if (data === undefined) continue;
      return { id: Number(id), event: event!, data: JSON.parse(data) as Record<string, unknown> };
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}
