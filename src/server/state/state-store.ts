import { Collection, type CollectionDefinition, type StateRecord } from './collection.ts';
import { EventLog, type LogLimits } from './event-log.ts';
import {
  ALERT_RULES,
  ALERT_STATES,
  type AlertEvent,
  type AlertRule,
  type AlertState,
  alertEventSchema,
} from './records/alert.ts';
import { type AuditEntry, auditEntrySchema } from './records/audit-entry.ts';
import { DASHBOARDS, type Dashboard } from './records/dashboard.ts';
import { GRANTS, type Grant } from './records/grant.ts';
import { GROUPS, type Group } from './records/group.ts';
import { JOB_PAUSES, type JobPause } from './records/job-pause.ts';
import { SESSIONS, type Session } from './records/session.ts';
import { SETUP_LINKS, type SetupLink } from './records/setup-link.ts';
import { TOKENS, type Token } from './records/token.ts';
import { USERS, type User } from './records/user.ts';
import { StateFiles } from './state-files.ts';

export { STATE_FILE } from './state-files.ts';

const DAY_MS = 86_400_000;

export interface StateStoreOptions {
  /** Whether to make what is not there. Default: true. */
  readonly creates?: boolean;
  /** Default: 100,000 entries, two years. */
  readonly audit?: LogLimits;
  /** Default: 100,000 entries, a year. */
  readonly alertHistory?: LogLimits;
}

/**
 * What the service itself remembers, whatever store has the datapoints. Several processes may have it
 * open at once: each call is atomic and sees what the others finished before it; `write` makes one of
 * many. Everything is synchronous, short, and on disk when it returns.
 */
export class StateStore {
  readonly users: Collection<User, 'name' | 'group'>;
  readonly groups: Collection<Group, 'name'>;
  readonly tokens: Collection<Token, 'hash' | 'user'>;
  readonly sessions: Collection<Session, 'user'>;
  readonly grants: Collection<Grant, 'subject' | 'stream' | 'giver'>;
  readonly setupLinks: Collection<SetupLink>;
  readonly dashboards: Collection<Dashboard, 'owner'>;
  readonly alertRules: Collection<AlertRule, 'owner'>;
  readonly alertStates: Collection<AlertState, 'rule' | 'stream'>;
  readonly alertHistory: EventLog<AlertEvent>;
  readonly jobPauses: Collection<JobPause>;
  readonly audit: EventLog<AuditEntry>;
  readonly #files: StateFiles;

  private constructor(files: StateFiles, { audit, alertHistory }: StateStoreOptions) {
    this.#files = files;
    this.users = this.collection(USERS);
    this.groups = this.collection(GROUPS);
    this.tokens = this.collection(TOKENS);
    this.sessions = this.collection(SESSIONS);
    this.grants = this.collection(GRANTS);
    this.setupLinks = this.collection(SETUP_LINKS);
    this.dashboards = this.collection(DASHBOARDS);
    this.alertRules = this.collection(ALERT_RULES);
    this.alertStates = this.collection(ALERT_STATES);
    this.jobPauses = this.collection(JOB_PAUSES);
    this.alertHistory = new EventLog(files, {
      name: 'alert-history',
      schema: alertEventSchema,
      limits: alertHistory ?? { entryCountMax: 100_000, ageMaxMs: 365 * DAY_MS },
    });
    this.audit = new EventLog(files, {
      name: 'audit',
      schema: auditEntrySchema,
      limits: audit ?? { entryCountMax: 100_000, ageMaxMs: 2 * 365 * DAY_MS },
    });
  }

  /**
   * Opens `service.lmdb` in the folder; makes both if they are missing, unless `creates` is false.
   * @throws {ServiceError} STATE_UNAVAILABLE {ServiceError} STATE_FORMAT_UNSUPPORTED
   */
  static async open(folder: string, options: StateStoreOptions = {}): Promise<StateStore> {
    const files = await StateFiles.open(folder, { creates: true, ...options });
    return new StateStore(files, options);
  }

  /** Path of the file. */
  get path(): string {
    return this.#files.path;
  }

  /** Records of a kind that this class does not know, in the same file and the same transactions. */
  collection<R extends StateRecord, Index extends string>(
    definition: CollectionDefinition<R, Index>,
  ): Collection<R, Index> {
    return new Collection(this.#files, definition);
  }

  /** Runs synchronous reads and writes as one transaction: all of it is stored, or, when it throws, nothing. */
  write<T>(action: () => T): T {
    return this.#files.write(action);
  }

  /** Runs synchronous reads on one snapshot. */
  read<T>(action: () => T): T {
    return this.#files.read(action);
  }

  /** Writes a consistent copy into a new folder, also while other processes write. @throws {ServiceError} STATE_UNAVAILABLE */
  async backUp(folder: string): Promise<void> {
    await this.#files.backUp(folder);
  }

  async close(): Promise<void> {
    await this.#files.close();
  }
}
