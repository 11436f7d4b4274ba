import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { CONFIG_PATHS, type ConfigPath, configPath, VARIABLE_PREFIX } from './config-paths.ts';
import { type ServiceConfig, serviceConfigSchema } from './service-config.ts';
import { shownSetting } from './show-config.ts';

type Tree = { [key: string]: unknown };

export interface ConfigSources {
  /** Path of a JSON file; null: none. */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By dotted name, as in `access.publicRead`; texts are read as in the environment. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * The configuration: flags are laid over the environment, that over the file, and that over the defaults.
 * @throws {ConfigError} for the first thing that is wrong.
 */
export function loadConfig({ file, env, flags }: ConfigSources): ServiceConfig {
  const tree = file === null ? {} : readFile(file);
  for (const place of CONFIG_PATHS) {
    const text = env[place.variable];
    // An empty variable is as good as none.
    if (text !== undefined && text !== '') put(tree, place.path, settingOf(place, text));
  }
  for (const [name, value] of Object.entries(flags)) {
    const place = configPath(name);
    if (place === null) throw new ConfigError(`There is no setting ${JSON.stringify(name)}.`);
    put(tree, place.path, typeof value === 'string' ? settingOf(place, value) : value);
  }
  const parsed = serviceConfigSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw new ConfigError(describeIssue(parsed.error.issues[0]!, tree));
}

/** Variables that look like settings and are none. Others may have set them: they are no error. */
export function unknownVariables(env: ConfigSources['env']): readonly string[] {
  const known = new Set(CONFIG_PATHS.map(({ variable }) => variable));
  return Object.keys(env).filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.has(name));
}

function readFile(path: string): Tree {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`Cannot read the configuration ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Tree;
  throw new ConfigError(`${path} must hold a JSON object.`);
}

/** Texts of numbers, flags and lists are JSON; a list may also be words between commas. */
function settingOf({ takesText, takesList }: ConfigPath, text: string): unknown {
  if (takesText) return text === 'null' ? null : text;
  try {
    return JSON.parse(text);
  } catch {
    return takesList || text.includes(',') ? text.split(',').map((word) => word.trim()) : text;
  }
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const below = tree[key];
  const branch: Tree = typeof below === 'object' && below !== null ? { ...below } : {};
  put(branch, rest, value);
  tree[key] = branch;
}

function describeIssue(issue: z.core.$ZodIssue, tree: Tree): string {
  const name = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify([...issue.path, key].join('.')));
    return `There is no setting ${keys.join(', ')}.`;
  }
  const found = issue.path.reduce<unknown>((value, key) => (value as Tree)?.[String(key)], tree);
  const shown = found === undefined ? '' : `, not ${shownSetting(found, name)}`;
  return `${name}: ${issue.message.replace(/^Invalid input: /, '')}${shown}.`;
}
