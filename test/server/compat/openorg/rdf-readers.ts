/** Subject, predicate and object: IRIs in brackets, texts in quotes without escapes, with their datatype. */
type Statement = string[];

const PATTERN = {
  // As in https://www.w3.org/TR/n-triples/#n-triples-grammar.
  iri: '<[^\\u0000-\\u0020<>"{}|^`\\\\]*>',
  text: '"(?:[^"\\\\\\n\\r]|\\\\[tbnrf"\'\\\\]|\\\\u[0-9A-Fa-f]{4})*"',
};
const OBJECT = `(?:${PATTERN.iri}|${PATTERN.text}(?:\\^\\^${PATTERN.iri})?)`;
const LINE = new RegExp(`^(${PATTERN.iri}) (${PATTERN.iri}) (${OBJECT}) \\.$`);
const TOKEN = new RegExp(`\\s*(@prefix|${OBJECT}|[a-z]*:[A-Za-z]*|[.;])`, 'y');
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** Statements in order. @throws for a line that is none. */
export function readNTriples(text: string): Statement[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const match = LINE.exec(line);
      if (match === null) throw new Error(`no statement: ${line}`);
      return match.slice(1).map(unescaped);
    });
}

/** The part of Turtle with prefixes and `;`. */
export function readTurtle(text: string): Statement[] {
  const prefixes = new Map<string, string>();
  const statements: Statement[] = [];
  let words: string[] = [];
  for (const token of tokensOf(text)) {
    if (token !== '.' && token !== ';') {
      words.push(token);
      continue;
    }
    if (words[0] === '@prefix') prefixes.set(words[1]!, words[2]!.slice(1, -1));
    else {
      if (words.length !== 3) throw new Error(`no statement: ${words.join(' ')}`);
      const full = (word: string): string => {
        const [, prefix, local] = /^([a-z]*:)([A-Za-z]*)$/.exec(word) ?? [];
        return prefix === undefined ? unescaped(word) : `<${prefixes.get(prefix)}${local}>`;
      };
      statements.push(words.map(full));
    }
    words = token === ';' ? words.slice(0, 1) : [];
  }
  return statements;
}

/** Descriptions of one level, as XML has them. */
export function readRdfXml(text: string): Statement[] {
  const prefixes = new Map<string, string>();
  const statements: Statement[] = [];
  let subject = '';
  let rest = text.replace(/^<\?xml [^?]*\?>/, '');
  const open: string[] = [];
  while (rest.trim() !== '') {
    const match = /^([^<&>]*)<(\/?)([\w:]+)((?:\s+[\w:]+="[^"<]*")*)>/.exec(
      rest.replace(/^(?:[^<&]|&#?\w+;)*/, (content) => content.replaceAll(/&#?\w+;/g, '·')),
    );
    if (match === null) throw new Error(`no XML: ${rest.slice(0, 100)}`);
    const contentEnd = rest.indexOf('<');
    const content = xmlText(rest.slice(0, contentEnd));
    rest = rest.slice(rest.indexOf('>', contentEnd) + 1);
    const [, , slash, name, attributeText] = match as unknown as string[];
    const attributes = new Map(
      [...attributeText!.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key, value]) => [
        key!,
        xmlText(value!),
      ]),
    );
    for (const [key, value] of attributes) {
      if (key.startsWith('xmlns:')) prefixes.set(key.slice(6), value);
    }
    if (slash === '') {
      open.push(name!);
      subject = attributes.get('rdf:about') ?? subject;
      if (open.length !== 3) continue;
      const [prefix, local] = name!.split(':') as [string, string];
      const resource = attributes.get('rdf:resource');
      const datatype = attributes.get('rdf:datatype');
      statements.push([`<${subject}>`, `<${prefixes.get(prefix)}${local}>`, '']);
      if (resource !== undefined) statements.at(-1)![2] = `<${resource}>`;
      else if (datatype !== undefined) statements.at(-1)![2] = `^^<${datatype}>`;
    } else {
      if (open.pop() !== name) throw new Error(`not open: ${name}`);
      const last = statements.at(-1);
      if (open.length === 2 && !last![2]!.startsWith('<')) last![2] = `"${content}"${last![2]}`;
    }
  }
  if (open.length > 0) throw new Error('not closed');
  return statements;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`no Turtle: ${text.slice(at, at + 100)}`);
    tokens.push(match[1]!);
    at = TOKEN.lastIndex;
  }
  return tokens;
}

function unescaped(term: string): string {
  return term.replaceAll(/\\(?:u([0-9A-Fa-f]{4})|(.))/g, (_all, hex: string, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function xmlText(text: string): string {
  const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (all, code: string, name: string) => {
    const found = code === undefined ? names[name] : String.fromCharCode(Number(code));
    if (found === undefined) throw new Error(`no entity: ${all}`);
    return found;
  });
}
