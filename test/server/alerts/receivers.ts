import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach } from '@jest/globals';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

export interface Hook {
  readonly url: string;
  readonly received: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** Status of the next answers; a function may hold one back. */
  answer: (count: number) => number | Promise<number>;
}

/** A server that takes webhooks. */
export async function hookServer(): Promise<Hook> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    hook.received.push({ headers: request.headers, body });
    const status = await hook.answer(hook.received.length);
    if (status >= 300 && status < 400) response.setHeader('location', `${hook.url}/elsewhere`);
    response.writeHead(status).end('taken');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: () => 200,
  };
  return hook;
}

export interface MailServer {
  readonly url: string;
  readonly mails: {
    readonly from: string;
    readonly to: readonly string[];
    readonly data: string;
  }[];
  /** Refuses the next so many messages when all of them was sent. */
  refusedCount: number;
}

/** A server that takes mail, as RFC 5321 has it, with as little as a sender needs. */
export async function mailServer(): Promise<MailServer> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    converse(socket, mail);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const mail: MailServer = {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails: [],
    refusedCount: 0,
  };
  return mail;
}

function converse(socket: Socket, mail: MailServer): void {
  let from = '';
  let to: string[] = [];
  let data: string[] | null = null;
  let buffered = '';
  const say = (line: string): void => {
    socket.write(`${line}\r\n`);
  };
  const finish = (lines: readonly string[]): void => {
    if (mail.refusedCount > 0) {
      mail.refusedCount--;
      say('451 later');
    } else {
      mail.mails.push({ from, to, data: lines.join('\n') });
      say('250 taken');
    }
  };
  const take = (line: string): void => {
    if (data !== null) {
      if (line !== '.') data.push(line.replace(/^\./, ''));
      else {
        finish(data);
        data = null;
      }
      return;
    }
    const [, address = ''] = /<(.*)>/.exec(line) ?? [];
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'DATA') data = [];
    if (verb === 'MAIL') [from, to] = [address, []];
    if (verb === 'RCPT') to.push(address);
    if (verb === 'DATA') say('354 go on');
    else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else say('250 ok');
  };
  say('220 test');
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    buffered += chunk;
    for (let end = buffered.indexOf('\r\n'); end !== -1; end = buffered.indexOf('\r\n')) {
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 2);
      take(line);
    }
  });
}
