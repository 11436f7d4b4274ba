import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../access/fastify-hooks.ts';
import { isoOf } from '../http/iso.ts';
import type { JobStatus } from '../jobs/job.ts';
import type { Service } from '../service.ts';
import { type JobBody, jobListSchema, jobSchema } from './schemas/jobs.ts';

const paramsSchema = z.object({ name: z.string().max(100).describe('Name of the job.') });
const schemaOf = (summary: string, status: 200 | 202) => ({
  tags: ['jobs'],
  summary,
  params: paramsSchema,
  response: { [status]: jobSchema },
});

/** What the service does by itself: see it, do it now, pause it. */
export const jobRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { jobs, access, log } },
  done,
) => {
  const config = { access: 'admin' } as const;

  app.get(
    '/jobs',
    {
      config,
      schema: { tags: ['jobs'], summary: 'Lists the jobs', response: { 200: jobListSchema } },
    },
    async () => ({ jobs: jobs.list().map(jobBody) }),
  );

  app.get('/jobs/:name', { config, schema: schemaOf('Reads a job', 200) }, async ({ params }) =>
    jobBody(jobs.status(params.name)),
  );

  app.post(
    '/jobs/:name/run',
    { config, schema: schemaOf('Starts a run now, whether the job is paused or not', 202) },
    async (request, reply) => {
      const { name } = request.params;
      jobs.run(name).catch((err: unknown) => log.error({ err, job: name }, 'A run broke off.'));
      access.audit.record(
        { action: 'job.run', target: { kind: 'job', id: name } },
        actorOf(request),
      );
      return reply.code(202).send(jobBody(jobs.status(name)));
    },
  );

  for (const action of ['pause', 'resume'] as const) {
    const summary =
      action === 'pause'
        ? 'Keeps a job from its schedule, in every process that works on the state'
        : 'Lets a job run by its schedule again';
    app.post(
      `/jobs/:name/${action}`,
      { config, schema: schemaOf(summary, 200) },
      async (request) => {
        const { name } = request.params;
        if (action === 'pause') jobs.pause(name, request.identity.name);
        else jobs.resume(name);
        access.audit.record(
          { action: `job.${action}`, target: { kind: 'job', id: name } },
          actorOf(request),
        );
        return jobBody(jobs.status(name));
      },
    );
  }

  done();
};

function jobBody({ pause, runningSinceMs, lastRun, nextRunMs, ...job }: JobStatus): JobBody {
  return {
    ...job,
    pause: pause && { since: isoOf(pause.atMs), by: pause.by },
    runningSince: runningSinceMs === null ? null : isoOf(runningSinceMs),
    lastRun: lastRun && {
      start: isoOf(lastRun.startedAtMs),
      durationMs: lastRun.durationMs,
      outcome: lastRun.outcome,
      error: lastRun.error,
      result: lastRun.result as JobResult,
    },
    nextRun: nextRunMs === null ? null : isoOf(nextRunMs),
  };
}

type JobResult = NonNullable<JobBody['lastRun']>['result'];
