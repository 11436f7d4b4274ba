// A reader of server-sent events over a bare socket: a thousand of them must cost the bench little.
import { connect } from 'node:net';

const EVENT_END = '\n\n';

/** One open event stream of one stream. Calls back for each `appended` event, with the instant it came. */
export class EventReader {
  #socket;
  #text = '';
  #onReady;
  #onAppended;

  constructor({ port, streamId, onAppended }) {
    this.#onAppended = onAppended;
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#socket = connect(port, '127.0.0.1').setEncoding('latin1').on('error', reject);
      this.#socket.on('close', () => reject(new Error('an event stream ended')));
    });
    this.#socket.on('data', (text) => this.#take(text, performance.now()));
    this.#socket.write(
      `GET /api/v1/events?streams=${streamId} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`,
    );
  }

  close() {
    this.#socket.destroy();
  }

  /** What the server cuts its answer into (chunks) never cuts an event: lines of their sizes are passed over. */
  #take(text, atMs) {
    this.#text += text;
    for (;;) {
      const end = this.#text.indexOf(EVENT_END);
      if (end < 0) return;
      const event = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + EVENT_END.length);
      const kind = /^event: (\w+)$/m.exec(event)?.[1];
      if (kind === 'ready') this.#onReady();
      if (kind === 'appended') this.#onAppended(JSON.parse(/^data: (.*)$/m.exec(event)[1]), atMs);
    }
  }
}
