import type { Json } from '../../../model/tags.ts';

/** Names that elements may have, without colons and without those that XML keeps for itself. */
const NAME = /^(?!xml)[A-Za-z_][\w.-]*$/i;
const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
});

/** JSON as XML, as tastypie writes it: members are elements with an attribute `type`, unless they are texts. */
export function xmlText(value: Json): string {
  return `<?xml version='1.0' encoding='utf-8'?>\n${element('response', value, { isRoot: true })}`;
}

function element(
  given: string,
  value: Json,
  { isRoot = false }: { readonly isRoot?: boolean } = {},
): string {
  // Tags may have names that no element can have.
  const [name, attribute] = NAME.test(given) ? [given, ''] : ['value', ` name="${escaped(given)}"`];
  const type = typeOf(value);
  const open = `<${name}${attribute}${type === 'string' || isRoot ? '' : ` type="${type}"`}`;
  const content = contentOf(value);
  return content === '' ? `${open}/>` : `${open}>${content}</${name}>`;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float';
  return typeof value === 'object' ? 'hash' : typeof value;
}

function contentOf(value: Json): string {
  if (value === null) return '';
  if (Array.isArray(value)) {
    return value.map((item) => element(isObject(item) ? 'object' : 'value', item)).join('');
  }
  if (isObject(value)) {
    return Object.entries(value)
      .map(([name, member]) => element(name, member))
      .join('');
  }
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return escaped(String(value));
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escaped(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (character) => ENTITIES[character]!)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot have these at all
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
  );
}
