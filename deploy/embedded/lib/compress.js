'use strict';
/* Attachments of text travel compressed, as CouchDB's do (its [attachments] compressible_types). What was compressed is kept for a while: a web
 * app's files are asked for again and again. */
const { promisify } = require('util');
const { gzip } = require('zlib');

const COMPRESSIBLE = /^(text\/|application\/(javascript|json|xml)\b)/;
const LEAST = 512; // bytes; below, the headers weigh more than what is saved
const KEPT_MOST = 16 * 1024 * 1024;
const squeeze = promisify(gzip);

class Compressed {
  constructor() {
    this.kept = new Map(); // ETag -> bytes, oldest first
    this.size = 0;
  }

  async of(tag, bytes) {
    const found = this.kept.get(tag);
    if (found) return found;
    const made = await squeeze(bytes, { level: 9 });
    if (this.kept.has(tag)) return made; // another request was at it meanwhile: it counts once
    this.kept.set(tag, made);
    this.size += made.length;
    for (const [old, { length }] of this.kept) {
      if (this.size <= KEPT_MOST) break;
      this.kept.delete(old);
      this.size -= length;
    }
    return made;
  }
}

/* Middleware before the route that answers an attachment with res.send(bytes), its ETag set. */
function compress() {
  const compressed = new Compressed();
  return (req, res, next) => {
    if (!['GET', 'HEAD'].includes(req.method) || !req.acceptsEncodings('gzip')) return next();
    const send = res.send.bind(res);
    res.send = (bytes) => {
      res.send = send;
      const tag = res.get('ETag');
      if (!Buffer.isBuffer(bytes) || bytes.length < LEAST || !tag || !COMPRESSIBLE.test(res.get('Content-Type') || '')) return send(bytes);
      res.vary('Accept-Encoding');
      compressed.of(tag, bytes).then((made) => {
        res.set('Content-Encoding', 'gzip');
        send(made);
      }, () => send(bytes));
      return res;
    };
    return next();
  };
}

module.exports = { compress };
