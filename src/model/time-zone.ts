/** The zone without an offset. */
export const UTC = 'UTC';

/** Words in the names of zones that are not written with one capital, the first letter: as IANA has them. */
const ODD_WORDS: ReadonlyMap<string, string> = new Map(
  (
    'ACT BajaNorte BajaSur CDT CET CHAT ComodRivadavia CST DeNoronha DumontDUrville EasterIsland EDT EET EST GB ' +
    'GMT HST IN LHI McMurdo MDT MET MST NSW NZ PDT PRC PST ROC ROK SU UCT US UTC WET au es of'
  )
    .split(' ')
    .map((word) => [word.toLowerCase(), word]),
);

/**
 * How a time zone is written, such as `Europe/Paris`, in whatever case it was given; null where the runtime
 * knows none of that name. A name that is an alias, such as `Asia/Calcutta` or `Asia/Kolkata`, stays that one: which
 * of them runtimes take for the zone's own name differs. All names of UTC give that; plain offsets such as
 * `+02:00` are none.
 */
export function timeZoneName(name: string): string | null {
  if (name === UTC) return name;
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    const isSame = timeZone === UTC || timeZone.toLowerCase() === name.toLowerCase();
    return isSame ? timeZone : spelled(name);
  } catch {
    return null;
  }
}

/** The runtime tells nothing of how an alias is written. */
function spelled(name: string): string {
  return name.replace(/[A-Za-z]+/g, (word) => {
    const lower = word.toLowerCase();
    return ODD_WORDS.get(lower) ?? lower.charAt(0).toUpperCase() + lower.slice(1);
  });
}
