/* Addresses in the store that the app and begin.js both ask for: they must be the same to the letter. */
import { query } from './http.js';
import { database } from './site.js';

export const QUEUE_ROWS = 100;

export const viewPath = (db, name, options) => `${database(db)}/_design/linnet/_view/${name}${query(options)}`;

export const infoPath = () => database('main');
export const isPartitioned = (info) => info?.props?.partitioned === true;

/* What needs review, newest first. */
export const reviewPath = () => viewPath('main', 'needs_review', { descending: true, reduce: false, limit: QUEUE_ROWS });

/* All documents of an observation. */
export const documentsPath = (obs, partitioned) => (partitioned
  ? `${database('main')}/_partition/${obs}/_all_docs?include_docs=true`
  : `${database('main')}/_all_docs${query({ startkey: `${obs}:`, endkey: `${obs};`, include_docs: true })}`);
