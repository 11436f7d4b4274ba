import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type { BaseLogger } from 'pino';
import type { AlertMessage } from './alert-message.ts';
import type { Destination } from './rule-definition.ts';

/** How destinations are reached. */
export interface ChannelSettings {
  /** For one try. */
  readonly timeoutMs: number;
  /** Key of the signatures of webhooks; null: they have none. */
  readonly webhookSecret: string | null;
  /** Null: there is no e-mail. */
  readonly email: { readonly url: string; readonly from: string } | null;
}

interface Sending {
  /** Receivers know a repeat by it. */
  readonly id: string;
  readonly message: AlertMessage;
  readonly signal: AbortSignal;
}

/** Tells one destination. @throws whatever says that it was not told, or maybe not. */
export type Send = (destination: Destination, sending: Sending) => Promise<void>;

export interface ChannelParts {
  readonly settings: ChannelSettings;
  readonly log: BaseLogger;
  readonly now: () => Date;
}

export function channels({ settings, log, now }: ChannelParts): Send {
  return async (destination, sending) => {
    switch (destination.kind) {
      case 'log':
        log.warn({ alert: sending.message, delivery: sending.id }, sending.message.text);
        return;
      case 'webhook':
        await post(destination.url, sending, { settings, now });
        return;
      case 'email':
        await mail(destination.to, sending, settings);
        return;
    }
  };
}

/**
 * The signature is the HMAC-SHA256 of the timestamp, a full stop and the body: whoever repeats an old one later
 * cannot change its timestamp. Redirects are not followed, as nobody asked for the alert to go there.
 */
async function post(
  url: string,
  { id, message, signal }: Sending,
  { settings, now }: { readonly settings: ChannelSettings; readonly now: () => Date },
): Promise<void> {
  const { timeoutMs, webhookSecret } = settings;
  const body = JSON.stringify({ id, ...message });
  const timestamp = Math.floor(now().getTime() / 1000);
  const response = await fetch(url, {
    method: 'POST',
    body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'datastream-engine',
      'idempotency-key': id,
      ...(webhookSecret !== null && {
        'x-datastream-signature': `t=${timestamp},v1=${signature(webhookSecret, timestamp, body)}`,
      }),
    },
  });
  // Nothing in the answer matters; a large one is not even read.
  await response.body?.cancel();
  if (!response.ok) throw new Error(`The webhook answered with status ${response.status}.`);
}

function signature(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

async function mail(
  to: readonly string[],
  { id, message }: Sending,
  { email, timeoutMs }: ChannelSettings,
): Promise<void> {
  if (email === null) throw new Error('There is no e-mail: alerts.email is not set.');
  const transport = createTransport({
    url: email.url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // Nothing of a message may name a file or an address to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { event, rule, stream, at, text } = message;
  try {
    await transport.sendMail({
      from: email.from,
      to: [...to],
      subject: `[${event}] ${rule.name}`,
      messageId: `<${id}@datastream-engine>`,
      text: [
        text,
        '',
        `At: ${at}`,
        `Severity: ${rule.severity}`,
        ...(stream === null
          ? []
          : [`Stream: ${stream.id}`, `Tags: ${JSON.stringify(stream.tags)}`]),
        ...(rule.description === '' ? [] : ['', rule.description]),
      ].join('\n'),
    });
  } finally {
    transport.close();
  }
}
