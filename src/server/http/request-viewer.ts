import type { FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { actorOf } from '../access/fastify-hooks.ts';
import type { Viewer } from './viewer.ts';

/** What the policy says about whoever sent a request, who may change while it goes on. */
export function viewerOf(request: FastifyRequest, { policy, grants, audit }: Access): Viewer {
  return {
    can: (permission, stream) => policy.can(request.identity, permission, stream),
    canViewAll: (tags) => policy.canOnAll(request.identity, 'view', tags),
    canCreate: (tags) => policy.canCreate(request.identity, tags),
    canRetag: (stream, tags) => policy.canRetag(request.identity, stream, tags),
    isOwned: (streamId) => grants.ownerIdOf(streamId) !== null,
    created: async (streamIds) => grants.noteCreated(streamIds, actorOf(request)),
    deleted: async (streamIds) => grants.noteDeleted(streamIds, actorOf(request)),
    changed: (id, change) =>
      audit.record({ ...change, target: { kind: 'stream', id } }, actorOf(request)),
  };
}
