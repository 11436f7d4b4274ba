import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { DOCS_ICON, DOCS_LOGO, DOCS_STYLE, DOCS_WAY_BACK } from './api-docs-theme.ts';

const PREFIX = '/docs';

/** Serves a page to look through the API with, and to try it. */
export async function serveApiDocs(app: FastifyInstance): Promise<void> {
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'public' };
      route.schema = { ...route.schema, hide: true };
    });
    // The page styles its own elements, which no other page of ours may.
    docs.addHook('onSend', async (_request, reply) => {
      const policy = reply.getHeader('content-security-policy');
      if (typeof policy !== 'string') return;
      reply.header(
        'content-security-policy',
        policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"),
      );
    });
    await docs.register(swaggerUi, {
      routePrefix: PREFIX,
      logo: { type: 'image/svg+xml', content: Buffer.from(DOCS_LOGO) },
      theme: {
        title: 'datastream API',
        css: [{ filename: 'docs.css', content: DOCS_STYLE }],
        js: [{ filename: 'way-back.js', content: DOCS_WAY_BACK }],
        favicon: [
          {
            filename: 'icon.svg',
            rel: 'icon',
            type: 'image/svg+xml',
            sizes: 'any',
            content: DOCS_ICON,
          },
        ],
      },
      uiConfig: { docExpansion: 'list', tryItOutEnabled: false, persistAuthorization: false },
    });
  });
}
