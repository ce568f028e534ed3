// The server of Firebase's Auth emulator by itself: the rest of its tools wants Java and a project folder. Run by
// e2e/fixtures/auth-emulator.ts; says its port and runs until it is ended.
import { createRequire } from 'node:module';
import { argv } from 'node:process';

const { createApp } = createRequire(import.meta.url)('firebase-tools/lib/emulator/auth/server.js');
const app = await createApp(argv[2]);
const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
