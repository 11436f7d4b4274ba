import type { FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { actorOf } from '../access/fastify-hooks.ts';
import type { Viewer } from './viewer.ts';

/** What the policy says about whoever sent a request. */
export function viewerOf(request: FastifyRequest, { policy, grants }: Access): Viewer {
  const { identity } = request;
  return {
    can: (permission, stream) => policy.can(identity, permission, stream),
    canCreate: (tags) => policy.canCreate(identity, tags),
    canRetag: (stream, tags) => policy.canRetag(identity, stream, tags),
    created: async (streamIds) => grants.noteCreated(streamIds, actorOf(request)),
    deleted: async (streamIds) => grants.noteDeleted(streamIds, actorOf(request)),
  };
}
