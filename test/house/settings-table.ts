import { z } from 'zod';
import { CONFIG_PATHS, type ConfigPath } from '../../src/server/config/config-paths.ts';
import { serviceConfigSchema } from '../../src/server/config/service-config.ts';
import { read } from './source-files.ts';

/** The page with the table, and the comments between which the table stands. */
export const SETTINGS_PAGE = 'docs/guide/operating.md';
const TABLE = /(<!-- table of settings[^>]*-->\n)[\s\S]*?(<!-- end of table -->)/;

/** A declaration of members in the schema's file, and a member with the comment above it. */
const BLOCK = /^(?:export )?const (\w+)\b/;
const COMMENT = /^\s+\/\*\* (.*) \*\/$/;
const MEMBER = /^\s+(\w+): /;

/** Puts the table of all settings into the text of the page. */
export function withSettingsTable(page: string): string {
  return page.replace(
    TABLE,
    (_all, before: string, after: string) => `${before}\n${table()}\n${after}`,
  );
}

/** Settings that nothing is said about in the schema's file. */
export function unexplainedSettings(): readonly string[] {
  const meanings = readMeanings();
  return CONFIG_PATHS.filter(({ path }) => meaningOf(path, meanings) === undefined).map(
    ({ path }) => path.join('.'),
  );
}

function table(): string {
  const meanings = readMeanings();
  const lines = [
    ['setting', 'variable', 'default', 'what it says'],
    ['---', '---', '---', '---'],
    ...CONFIG_PATHS.map(({ path, variable }: ConfigPath) => [
      `\`${path.join('.')}\``,
      `\`${variable}\``,
      defaultText(path),
      meaningOf(path, meanings) ?? '',
    ]),
  ];
  return `${lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')}\n`;
}

/** By the declaration and the member, as in `liveConfig.heartbeat`. */
function readMeanings(): ReadonlyMap<string, string> {
  const meanings = new Map<string, string>();
  let block = '';
  let comment: string | undefined;
  for (const line of read('src/server/config/service-config.ts').split('\n')) {
    block = BLOCK.exec(line)?.[1] ?? block;
    const member = MEMBER.exec(line)?.[1];
    if (member !== undefined && comment !== undefined) meanings.set(`${block}.${member}`, comment);
    comment = COMMENT.exec(line)?.[1];
  }
  return meanings;
}

/** A setting of a job stands for the job, too. */
function meaningOf(
  path: readonly string[],
  meanings: ReadonlyMap<string, string>,
): string | undefined {
  const [first = '', second = '', third] = path;
  if (path.length === 1) return meanings.get(`serviceConfigSchema.${first}`);
  if (third === undefined) return meanings.get(`${first}Config.${second}`);
  if (first !== 'jobs') return meanings.get(`${second}Config.${third}`);
  const job = meanings.get(`jobsConfig.${second}`);
  const said = meanings.get(`jobConfig.${third}`);
  return job === undefined || said === undefined ? undefined : `${job} ${said}`;
}

function defaultText(path: readonly string[]): string {
  const value = defaultAt(serviceConfigSchema, path);
  return value === undefined
    ? ''
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** As it would be written; undefined where it must be. */
function defaultAt(schema: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) {
    const hasDefault = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
    return hasDefault ? schema.def.defaultValue : undefined;
  }
  const object = objectIn(schema);
  return object === null ? undefined : defaultAt(object.shape[key], rest);
}

function objectIn(schema: unknown): z.ZodObject | null {
  if (schema instanceof z.ZodObject) return schema;
  const isWrapped =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable;
  return isWrapped ? objectIn(schema.unwrap()) : null;
}
