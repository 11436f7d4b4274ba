/** What a grant allows on a stream. */
export const PERMISSIONS: readonly ['view', 'append', 'change', 'delete', 'grant'] = [
  'view',
  'append',
  'change',
  'delete',
  'grant',
];
export type Permission = (typeof PERMISSIONS)[number];

/** What an API token is limited to; each scope stands for itself alone. */
export const SCOPES: readonly [...typeof PERMISSIONS, 'admin'] = [...PERMISSIONS, 'admin'];
export type Scope = (typeof SCOPES)[number];

/** `create` allows to create streams whose tags match the grant's query. */
export const GRANT_PERMISSIONS: readonly [...typeof PERMISSIONS, 'create'] = [
  ...PERMISSIONS,
  'create',
];
export type GrantPermission = (typeof GRANT_PERMISSIONS)[number];
