import { CronPattern } from 'croner';
import { z } from 'zod';
import { durationOf } from '../../model/duration.ts';
import { DURATION_SYNTAX } from '../../text/time.ts';

/** A length of time as text; becomes milliseconds. */
const duration = z.string().transform((text, context) => {
  const durationMs = durationOf(text);
  if (durationMs !== null) return durationMs;
  context.addIssue({ code: 'custom', message: `expected a duration, ${DURATION_SYNTAX}` });
  return z.NEVER;
});

const port = z.int().min(0).max(65_535);
const count = z.int().min(1);

/** As in `10.0.0.1` or `10.0.0.0/8`. */
const proxyAddress = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'expected addresses and networks, as in 10.0.0.0/8',
);
const proxyAddresses = z.union([proxyAddress.transform((one) => [one]), z.array(proxyAddress)]);

const accessConfig = z.strictObject({
  /** `open`: as long as there is no user, whoever asks from this host may everything. */
  mode: z.enum(['users', 'open']).default('users'),
  /** Whether streams may be seen by everybody. */
  publicRead: z.boolean().default(false),
  /** Whether everybody may read the metrics of the service, rather than whoever is signed in. */
  publicMetrics: z.boolean().default(false),
  /** Sessions end after this long without a request. */
  sessionIdle: duration.prefault('12h'),
  /** Sessions end after this long in any case. */
  sessionLongest: duration.prefault('30d'),
  /** The link that the first start prints is good for this long. */
  setupLink: duration.prefault('1d'),
  /** Failed logins of one name before it has to wait; four times as many from one address. */
  failedLoginCount: count.default(5),
  /** How long it waits first; it doubles with each failure after that. */
  failedLoginWait: duration.prefault('1s'),
  /** And how long at most: somebody else may have failed in one's name. */
  failedLoginWaitLongest: duration.prefault('15m'),
  /** Characters of a password, at least. */
  passwordLength: z.int().min(1).default(10),
  /** Memory that a password's hash takes, by argon2id. Changes apply from the next login on. */
  passwordMemoryKib: z.int().min(8).default(19_456),
  /** Of the same, the passes. */
  passwordPasses: count.default(2),
  /** Of the same, the threads. */
  passwordThreads: z.int().min(1).max(255).default(1),
  /** How many changes the audit log remembers. */
  auditEntries: count.default(100_000),
  /** And how long. */
  auditKept: duration.prefault('730d'),
});

const limitsConfig = z.strictObject({
  /** Bytes of a request body, uncompressed. */
  bodyBytes: z.int().min(1024).default(33_554_432),
  /** Rows of one page, at most. */
  pageRows: count.default(10_000),
  /** Streams of one page, at most. */
  pageStreams: count.default(1000),
  /** Points that a chart may ask for, at most. */
  chartPoints: count.default(20_000),
  /** Points of all charts that are asked for at once, at most. */
  answerPoints: count.default(1_000_000),
  /** Datapoints or buckets of a stream, also empty ones, that are looked at to leave some of them out, at most. */
  thinnedRows: count.default(20_000_000),
  /** Requests of one address in a minute; null: no limit. */
  requestsPerMinute: count.nullable().default(null),
  /** How long a request may take to arrive as a whole. */
  requestTime: duration.prefault('5m'),
  /** Open event streams together. */
  eventStreams: count.default(5000),
  /** And of one user, or of one address where nobody is logged in. */
  eventStreamsPerCaller: count.default(2000),
  /** Alert rules of one user, at most; admins may have more, of this and of what follows. */
  alertRulesPerUser: count.default(1000),
  /** Saved dashboards of one user, at most. */
  dashboardsPerUser: count.default(1000),
  /** API tokens of one user, at most. */
  tokensPerUser: count.default(1000),
  /** Grants that one user has given, at most. */
  grantsPerUser: count.default(10_000),
});

const ingestConfig = z.strictObject({
  /** Highest granularity of streams that a write creates. */
  granularity: z.string().default('milliseconds'),
  /** Of streams of numbers that a write creates. */
  valueDownsamplers: z.array(z.string()).default(['mean', 'min', 'max', 'sum', 'count', 'std_dev']),
  /** Of streams of texts and flags. */
  nominalDownsamplers: z.array(z.string()).default(['count', 'most_often', 'last']),
  /** As in `{"raw": "30d", "minutes": "1y"}`; null: for ever. */
  retention: z.record(z.string(), z.string().nullable()).nullable().default(null),
  /** Whether counters, where a protocol tells which series are some, get a stream of their rates. */
  deriveRates: z.boolean().default(true),
  /** Whether flags become the numbers 0 and 1, or texts. */
  booleans: z.enum(['numeric', 'nominal']).default('numeric'),
  /** Bytes of one line or record. */
  recordBytes: z.int().min(1024).default(1_048_576),
  /** Problems that an answer tells. */
  problemsTold: count.default(100),
  /** Whether writes may create streams. */
  createStreams: z.boolean().default(true),
  /** Port of the Graphite plaintext protocol; null: none. */
  graphitePort: port.nullable().default(null),
  /** Address to take it in on, only this host's own as long as there is no user: nobody is asked there who he is. */
  graphiteHost: z.string().default('127.0.0.1'),
});

const liveConfig = z.strictObject({
  /** Events that are remembered, for readers that come back. */
  rememberedEvents: count.default(100_000),
  /** Events that wait for one slow reader before it is told to read again. */
  waitingEvents: count.default(1000),
  /** Time between two signs of life of an event stream. */
  heartbeat: duration.prefault('15s'),
});

function isSchedule(text: string): boolean {
  try {
    new CronPattern(text);
    return true;
  } catch {
    return false;
  }
}

const jobConfig = (schedule: string) =>
  z
    .strictObject({
      /** Whether this process runs the job by its schedule; not, where separate workers do it. */
      enabled: z.boolean().default(true),
      /** A cron expression, with seconds, in the time zone of the host. */
      schedule: z
        .string()
        .refine(isSchedule, 'expected a cron expression such as "0 17 * * * *"')
        .default(schedule),
    })
    .prefault({});

const jobsConfig = z.strictObject({
  /** Levels, derived streams and retention. */
  maintenance: jobConfig('*/10 * * * * *'),
  /** Holds streams against alert rules, and delivers alerts. */
  alerts: jobConfig('*/10 * * * * *'),
  /** What has expired of sessions, tokens and the audit log. */
  cleanup: jobConfig('0 17 * * * *'),
  /** A sine that is posted to a feed, while that is switched on. */
  demo: jobConfig('*/30 * * * * *'),
});

const emailConfig = z.strictObject({
  /** As in `smtps://user:password@mail.example.org`. */
  url: z.url({ protocol: /^smtps?$/ }),
  /** Address of the sender. */
  from: z.string().min(3),
});

const alertsConfig = z.strictObject({
  /** How long one try to deliver an alert may take, also by e-mail. */
  webhookTimeout: duration.prefault('10s'),
  /** Tries before a delivery is given up; the wait between them doubles from 5 s to an hour. */
  webhookTries: count.default(6),
  /** Key of the signatures of webhooks. */
  webhookSecret: z.string().min(16).nullable().default(null),
  /** Hosts, as in `hooks.example.org` or `hooks.example.org:8443`, that rules of users may call; those of admins may call any. */
  webhookHosts: z.array(z.string()).default([]),
  email: emailConfig.nullable().default(null),
  /** Domains that rules of users may write to; those of admins may write to any. */
  emailDomains: z.array(z.string()).default([]),
});

const compatConfig = z.strictObject({
  /** How django-datastream's routes write instants. */
  datastreamDates: z.enum(['iso-8601', 'rfc-2822']).default('iso-8601'),
});

const tlsConfig = z.strictObject({
  /** Path of a PEM file. */
  certificate: z.string(),
  /** Path of the PEM file of its key. */
  key: z.string(),
});

/** Everything that can be set about the service: the file, the environment and the flags have the same names. */
export const serviceConfigSchema = z.strictObject({
  /** URL of the store. */
  store: z.string().default('embedded:./data'),
  /** Folder of what the service itself keeps; null: `service` in the folder of an embedded store. */
  state: z.string().nullable().default(null),
  /** Address to listen on; only this host's own as long as there is no user. */
  host: z.string().default('127.0.0.1'),
  /** Port to listen on; 0 picks one. */
  port: port.default(8080),
  /** How people reach the service, where that is not host and port: for links and cookies. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
  tls: tlsConfig.nullable().default(null),
  /** Whether the proxy that connects says from where requests come; or the addresses and networks of all proxies. */
  trustProxy: z
    .union(
      [z.boolean(), proxyAddresses],
      'expected true, false, or addresses and networks, as in 10.0.0.0/8',
    )
    .default(false),
  /** Whether this host's own counters are sampled into streams. */
  collect: z.boolean().default(false),
  access: accessConfig.prefault({}),
  limits: limitsConfig.prefault({}),
  ingest: ingestConfig.prefault({}),
  live: liveConfig.prefault({}),
  jobs: jobsConfig.prefault({}),
  alerts: alertsConfig.prefault({}),
  compat: compatConfig.prefault({}),
  /** What the log tells, and what is worse. */
  log: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** How long requests under way may take when the service ends. */
  shutdown: duration.prefault('10s'),
});

/** The configuration as parts use it: durations in milliseconds. */
export type ServiceConfig = z.output<typeof serviceConfigSchema>;
