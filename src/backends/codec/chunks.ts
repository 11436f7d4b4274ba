/**
 * Rows that a hot loop does in one call. The compiler replaces a function in the midst of a long loop
 * by code that knows nothing of what follows the loop and is thrown away there, call after call; a
 * function that is called for chunks is soon compiled whole, within the first blocks of a process.
 */
export const CHUNK_ROW_COUNT = 512;
