/* What a photograph says of itself: when and where it was taken. EXIF 2.32, sections 4.5 and 4.6; TIFF 6.0 for the directories.
 * Read once, shown to the observer, and then cut out (strip.js). */

const TAG = { date: 0x9003, exif: 0x8769, gps: 0x8825, offset: 0x9011, latitudeRef: 1, latitude: 2, longitudeRef: 3, longitude: 4 };
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8];

/* The TIFF structure within a JPEG, PNG or WebP file, as a DataView, or null. */
function tiffOf(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
  if (data.getUint16(0) === 0xffd8) {
    for (let at = 2; at + 4 < bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + data.getUint16(at + 2)) {
      if (bytes[at + 1] === 0xe1 && text(at + 4, 4) === 'Exif') return new DataView(bytes.buffer, bytes.byteOffset + at + 10, data.getUint16(at + 2) - 8);
    }
  } else if (text(1, 3) === 'PNG') {
    for (let at = 8; at + 12 <= bytes.length; at += 12 + data.getUint32(at)) {
      if (text(at + 4, 4) === 'eXIf') return new DataView(bytes.buffer, bytes.byteOffset + at + 8, data.getUint32(at));
    }
  } else if (text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP') {
    for (let at = 12; at + 8 <= bytes.length; at += 8 + data.getUint32(at + 4, true) + (data.getUint32(at + 4, true) & 1)) {
      if (text(at, 4) === 'EXIF') return new DataView(bytes.buffer, bytes.byteOffset + at + 8, data.getUint32(at + 4, true));
    }
  }
  return null;
}

/* Entries of a directory: Map of tag -> {type, count, at}. */
function directory(tiff, at, little) {
  const entries = new Map();
  const count = at + 2 <= tiff.byteLength ? tiff.getUint16(at, little) : 0;
  for (let i = 0; i < count && at + 14 + 12 * i <= tiff.byteLength; i++) {
    const entry = at + 2 + 12 * i, type = tiff.getUint16(entry + 2, little), values = tiff.getUint32(entry + 4, little);
    const size = (SIZES[type] || 0) * values;
    entries.set(tiff.getUint16(entry, little), { count: values, at: size <= 4 ? entry + 8 : tiff.getUint32(entry + 8, little) });
  }
  return entries;
}

function ascii(tiff, entry) {
  if (!entry) return '';
  let text = '';
  for (let i = 0; i < entry.count && text.length < 64; i++) {
    const code = tiff.getUint8(entry.at + i);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}

/* Degrees from three rationals, or null. */
function degrees(tiff, entry, reference, negative, little) {
  if (!entry || entry.count < 3) return null;
  const part = (i) => tiff.getUint32(entry.at + 8 * i, little) / (tiff.getUint32(entry.at + 8 * i + 4, little) || 1);
  const value = part(0) + part(1) / 60 + part(2) / 3600;
  return Number.isFinite(value) ? (reference === negative ? -value : value) : null;
}

function position(tiff, at, little) {
  const gps = directory(tiff, at, little);
  const latitude = degrees(tiff, gps.get(TAG.latitude), ascii(tiff, gps.get(TAG.latitudeRef)), 'S', little);
  const longitude = degrees(tiff, gps.get(TAG.longitude), ascii(tiff, gps.get(TAG.longitudeRef)), 'W', little);
  const real = latitude !== null && longitude !== null && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return real && (latitude || longitude) ? { latitude, longitude } : null;
}

/* "2026:05:03 10:21:00", in the camera's own time zone unless an offset stands beside it. */
function date(text, offset) {
  const match = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${/^[+-]\d\d:\d\d$/.test(offset) ? offset : ''}`);
  return Number.isNaN(time.getTime()) || time > Date.now() + 86400000 ? null : time.toISOString().replace(/\.\d+Z/, 'Z');
}

/* { taken_at, latitude, longitude } of a file's bytes, as far as it tells. A broken file tells nothing. */
export function readExif(bytes) {
  try {
    const tiff = tiffOf(bytes);
    if (!tiff) return {};
    const little = tiff.getUint16(0) === 0x4949, root = directory(tiff, tiff.getUint32(4, little), little);
    const at = (tag) => root.has(tag) && tiff.getUint32(root.get(tag).at, little);
    const exif = at(TAG.exif) ? directory(tiff, at(TAG.exif), little) : new Map();
    const taken = date(ascii(tiff, exif.get(TAG.date)), ascii(tiff, exif.get(TAG.offset)));
    return { ...(taken ? { taken_at: taken } : {}), ...(at(TAG.gps) ? position(tiff, at(TAG.gps), little) : {}) };
  } catch {
    return {};
  }
}

/* The orientation (1 to 8) that a JPEG's EXIF tells; 1 if none. */
export function readOrientation(bytes) {
  try {
    const tiff = tiffOf(bytes);
    if (!tiff) return 1;
    const little = tiff.getUint16(0) === 0x4949, entry = directory(tiff, tiff.getUint32(4, little), little).get(0x0112);
    const value = entry ? tiff.getUint16(entry.at, little) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  } catch {
    return 1;
  }
}
