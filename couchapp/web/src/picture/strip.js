/* Cutting the metadata out of a picture without touching a pixel: positions, names, thumbnails, comments, and whatever follows
 * the picture's end. What a picture needs to look right stays: colour profile, orientation.
 * JPEG: ITU-T T.81, annex B. PNG: W3C, 3rd edition, section 5. WebP: Google, WebP Container Specification. */
import { readOrientation } from './exif.js';

const join = (parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
};
const text = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
const broken = () => new Error('picture.broken');

/* An APP1 segment that says the orientation and nothing else. */
function orientationSegment(orientation) {
  const segment = Uint8Array.from([0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  segment[29] = orientation;
  return segment;
}

function keptInJpeg(marker, bytes, at) {
  if (marker === 0xe0) return text(bytes, at + 4, 4) === 'JFIF';
  if (marker === 0xe2) return text(bytes, at + 4, 11) === 'ICC_PROFILE';
  if (marker === 0xee) return text(bytes, at + 4, 5) === 'Adobe';
  return !(marker >= 0xe0 && marker <= 0xef) && marker !== 0xfe;
}

/* Where the entropy-coded bytes end: at the next marker that is no restart and no stuffed zero. */
function endOfScan(bytes, at) {
  for (; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1];
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}

function stripJpeg(bytes) {
  const orientation = readOrientation(bytes);
  const parts = [bytes.subarray(0, 2)];
  if (orientation > 1) parts.push(orientationSegment(orientation));
  for (let at = 2; ;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 2 > bytes.length || bytes[at] !== 0xff) throw broken();
    const marker = bytes[at + 1];
    if (marker === 0xd9) break;
    const length = at + 4 <= bytes.length ? bytes[at + 2] << 8 | bytes[at + 3] : 0;
    let end = at + 2 + length;
    if (length < 2 || end > bytes.length) throw broken();
    if (marker === 0xda) end = endOfScan(bytes, end);
    if (keptInJpeg(marker, bytes, at)) parts.push(bytes.subarray(at, end));
    at = end;
  }
  parts.push(Uint8Array.of(0xff, 0xd9));
  return join(parts);
}

const PNG_KEPT = ['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'sBIT', 'bKGD', 'acTL', 'fcTL', 'fdAT'];

function stripPng(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), parts = [bytes.subarray(0, 8)];
  for (let at = 8; ;) {
    const whole = at + 12 <= bytes.length ? data.getUint32(at) + 12 : Infinity;
    if (at + whole > bytes.length) throw broken();
    const name = text(bytes, at + 4, 4);
    if (PNG_KEPT.includes(name)) parts.push(bytes.subarray(at, at + whole));
    if (name === 'IEND') return join(parts);
    at += whole;
  }
}

const WEBP_KEPT = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP'];
const WEBP_FLAGS = 0x08 | 0x04; // EXIF, XMP

function stripWebp(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), end = data.getUint32(4, true) + 8;
  if (end < 12 || end > bytes.length) throw broken();
  const parts = [bytes.slice(0, 12)];
  for (let at = 12; end - at >= 8;) {
    const length = data.getUint32(at + 4, true), whole = Math.min(8 + length + (length & 1), end - at);
    if (length > end - at - 8) throw broken();
    const name = text(bytes, at, 4), chunk = bytes.slice(at, at + whole);
    if (name === 'VP8X') chunk[8] &= ~WEBP_FLAGS;
    if (WEBP_KEPT.includes(name)) parts.push(chunk);
    at += whole;
  }
  const out = join(parts);
  new DataView(out.buffer).setUint32(4, out.length - 8, true);
  return out;
}

/* "image/jpeg", "image/png", "image/webp" by the bytes themselves, or null: names and declared types may lie. */
export function sniff(bytes) {
  if (bytes.length < 16) return null;
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 4) === 'WEBP') return 'image/webp';
  return null;
}

/* The file's bytes without metadata. Throws an Error with the key of a text: picture.broken, picture.unknown. */
export function strip(bytes) {
  const type = sniff(bytes);
  if (type === 'image/jpeg') return stripJpeg(bytes);
  if (type === 'image/png') return stripPng(bytes);
  if (type === 'image/webp') return stripWebp(bytes);
  throw new Error('picture.unknown');
}
