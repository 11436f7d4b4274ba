/** What a statement says of its subject: another thing, by its IRI, a text, or a whole number. */
export type RdfObject =
  | { readonly kind: 'iri'; readonly iri: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number };

/** A statement of RDF. Predicates are names of the vocabularies in `PREFIXES`. */
export interface Triple {
  readonly subject: string;
  readonly predicate: Name;
  readonly object: RdfObject;
}

const PREFIXES = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  ts: 'http://purl.org/NET/time-series/',
} as const;
const INTEGER = 'http://www.w3.org/2001/XMLSchema#integer';

/** As in `ts:sampling`. */
export type Name = `${keyof typeof PREFIXES}:${string}`;

/** The IRI that a name stands for. */
export function iriOf(name: Name): string {
  const [prefix, local] = name.split(':') as [keyof typeof PREFIXES, string];
  return PREFIXES[prefix] + local;
}

/** N-Triples (https://www.w3.org/TR/n-triples/): a statement in a line. */
export function nTriples(triples: readonly Triple[]): string {
  return triples
    .map(({ subject, predicate, object }) => {
      return `${bracketed(subject)} ${bracketed(iriOf(predicate))} ${written(object)} .\n`;
    })
    .join('');
}

/** Turtle (https://www.w3.org/TR/turtle/), which is Notation 3, too: what is said of a subject stands together. */
export function turtle(triples: readonly Triple[]): string {
  const prefixes = Object.entries(PREFIXES).map(([name, iri]) => `@prefix ${name}: <${iri}> .\n`);
  const subjects = bySubject(triples).map(([subject, own]) => {
    const statements = own.map(({ predicate, object }) => `${predicate} ${written(object)}`);
    return `\n${bracketed(subject)}\n  ${statements.join(' ;\n  ')} .\n`;
  });
  return [...prefixes, ...subjects].join('');
}

/** RDF 1.1 XML (https://www.w3.org/TR/rdf-syntax-grammar/). What XML cannot say becomes U+FFFD. */
export function rdfXml(triples: readonly Triple[]): string {
  const prefixes = Object.entries(PREFIXES).map(([name, iri]) => ` xmlns:${name}="${iri}"`);
  const subjects = bySubject(triples).map(([subject, own]) => {
    const statements = own.map(
      ({ predicate, object }) => `    <${predicate}${xmlObject(object)}</${predicate}>\n`,
    );
    return `  <rdf:Description rdf:about="${xml(subject)}">\n${statements.join('')}  </rdf:Description>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF${prefixes.join('')}>\n${subjects.join('')}</rdf:RDF>\n`;
}

function bySubject(triples: readonly Triple[]): readonly (readonly [string, readonly Triple[]])[] {
  const subjects = new Map<string, Triple[]>();
  for (const triple of triples) {
    const own = subjects.get(triple.subject) ?? [];
    own.push(triple);
    subjects.set(triple.subject, own);
  }
  return [...subjects];
}

function written(object: RdfObject): string {
  switch (object.kind) {
    case 'iri':
      return bracketed(object.iri);
    case 'text':
      return `"${object.text.replaceAll(/["\\\p{Cc}]/gu, escapedCharacter)}"`;
    case 'integer':
      return `"${object.value}"^^<${INTEGER}>`;
  }
}

function xmlObject(object: RdfObject): string {
  switch (object.kind) {
    case 'iri':
      return ` rdf:resource="${xml(object.iri)}">`;
    case 'text':
      return `>${xml(object.text)}`;
    case 'integer':
      return ` rdf:datatype="${INTEGER}">${object.value}`;
  }
}

/** What an IRI must not hold between its brackets is written as bytes in hexadecimal. */
function bracketed(iri: string): string {
  return `<${iri.replaceAll(/[\p{Cc} <>"{}|^`\\]/gu, encodeURIComponent)}>`;
}

function escapedCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function xml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are not allowed
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Readers take line ends, and all space in attributes, for something else.
      .replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  );
}
