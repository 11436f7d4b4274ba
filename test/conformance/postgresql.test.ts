import { conformanceOnServer } from './on-server.ts';

conformanceOnServer('postgresql');
