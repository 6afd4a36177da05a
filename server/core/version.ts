/** Of the whole: server, threads, client and agent are one. */
export const VERSION = "0.1.0";
