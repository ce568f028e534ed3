import * as z from 'zod/mini';

// Before any schema is made: zod's fast path needs `eval`, which the CSP refuses.
z.config({ jitless: true });
