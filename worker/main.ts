import { runService } from '../platform/service.ts';
import { openWorker } from './worker.ts';

await runService('worker', ({ urls, log }) => openWorker({ url: urls.workerUrl, log }));
