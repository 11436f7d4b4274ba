/** Longest first, so that `>=` is not read as `>`. */
const OPERATORS = [
  ['!=', 'ne'],
  ['>=', 'gte'],
  ['<=', 'lte'],
  ['~', 'icontains'],
  ['>', 'gt'],
  ['<', 'lt'],
  ['=', null],
] as const;

/**
 * What somebody types into the search as parameters of the list: `name=value` and the like ask for a tag
 * (`site.name=north` for a nested one), everything else is text that some tag contains.
 */
export function searchQuery(text: string): Readonly<Record<string, string>> {
  const query: Record<string, string> = {};
  const words: string[] = [];
  for (const part of partsOf(text)) {
    const condition = conditionOf(part);
    if (condition === null) words.push(unquoted(part));
    else query[condition.name] = condition.value;
  }
  if (words.length > 0) query['q'] = words.join(' ');
  return query;
}

/** A search with one condition more; the same one is not added twice. */
export function withCondition(text: string, name: string, value: string): string {
  const condition = `${name}=${quotedWhereNeeded(value)}`;
  if (partsOf(text).includes(condition)) return text;
  return text.trim() === '' ? condition : `${text.trim()} ${condition}`;
}

function quotedWhereNeeded(value: string): string {
  return /[\s"]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Without the quotes around; a doubled one inside them is one. */
function unquoted(text: string): string {
  return text.replace(/"((?:[^"]|"")*)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}

/** Words; quotes keep spaces together, and a quote inside them is doubled. */
function partsOf(text: string): readonly string[] {
  return text.match(/(?:"(?:[^"]|"")*"|[^\s"])+/g) ?? [];
}

function conditionOf(part: string): { name: string; value: string } | null {
  for (const [sign, operator] of OPERATORS) {
    const at = part.indexOf(sign);
    if (at <= 0 || at + sign.length === part.length) continue;
    const path = part.slice(0, at);
    if (!/^[^\s"<>=!~]+$/.test(path)) continue;
    const suffix = operator === null ? '' : `__${operator}`;
    return {
      name: `tags__${path.replaceAll('.', '__')}${suffix}`,
      value: unquoted(part.slice(at + sign.length)),
    };
  }
  return null;
}
