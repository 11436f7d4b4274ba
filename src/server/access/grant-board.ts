import type { Grant } from '../state/records/grant.ts';
import { subjectKey } from '../state/records/grant.ts';
import type { StateStore } from '../state/state-store.ts';
import { GrantRules } from './grant-rules.ts';

/** All grants in memory, by subject; follows what any process changes. */
export class GrantBoard {
  readonly #state: StateStore;
  readonly #grants: Map<string, Grant> = new Map();
  readonly #bySubject: Map<string, GrantRules> = new Map();
  #revision: string | null = null;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** The rules of those of the subjects who were granted something. */
  rulesOf(subjectKeys: readonly string[]): readonly GrantRules[] {
    this.#refresh();
    return subjectKeys.flatMap((key) => this.#bySubject.get(key) ?? []);
  }

  /** The rules of everybody who was granted something. */
  allRules(): Iterable<GrantRules> {
    this.#refresh();
    return this.#bySubject.values();
  }

  #refresh(): void {
    const { grants } = this.#state;
    const changes = this.#revision === null ? null : grants.changesSince(this.#revision);
    if (changes === null) {
      this.#reload();
      return;
    }
    for (const id of new Set(changes.ids)) this.#replace(id, grants.get(id));
    this.#revision = changes.revision;
  }

  #reload(): void {
    this.#grants.clear();
    this.#bySubject.clear();
    this.#state.read(() => {
      for (const grant of this.#state.grants.all()) this.#replace(grant.id, grant);
      this.#revision = this.#state.grants.revision;
    });
  }

  #replace(id: string, grant: Grant | null): void {
    const before = this.#grants.get(id);
    if (before !== undefined) {
      this.#bySubject.get(subjectKey(before.subject))?.remove(before);
      this.#grants.delete(id);
    }
    if (grant === null) return;
    const key = subjectKey(grant.subject);
    const rules = this.#bySubject.get(key) ?? new GrantRules();
    rules.add(grant);
    this.#bySubject.set(key, rules);
    this.#grants.set(id, grant);
  }
}
