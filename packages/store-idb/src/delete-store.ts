import { deleteDB } from 'idb';

/** Deletes the database with everything in it. Whoever has it open is asked to let go, and does; waits for those. */
export const deleteStore = (name = 'sotto'): Promise<void> => deleteDB(name);
