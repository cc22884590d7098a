/* From a chosen file to what is kept: metadata read, then cut out; smaller if that is wished; its digest. */
import { digest } from '../store/ids.js';
import { readExif } from './exif.js';
import { sniff, strip } from './strip.js';

const FILE_MOST = 60 << 20; // the door takes 64 MiB
const SMALL_EDGE = 2048; // pixels; models see 400, pages 1,024
const QUALITY = 0.88;

async function shrink(blob, edge) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' });
  const scale = Math.min(1, edge / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
}

/* Does the browser draw it? What it can't decode is no picture, or one of a format that we can't strip. */
async function drawable(blob) {
  try {
    const bitmap = await createImageBitmap(blob);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    throw new Error('picture.broken');
  }
}

/* { blob, type, digest, width, height, taken_at?, latitude?, longitude? }. Throws an Error with the key of a text. */
export async function preparePicture(file, { resize = false } = {}) {
  if (file.size > FILE_MOST) throw new Error('picture.big');
  let bytes = new Uint8Array(await file.arrayBuffer());
  const told = readExif(bytes);
  if (resize || !sniff(bytes)) {
    const small = await shrink(file, SMALL_EDGE).catch(() => { throw new Error(sniff(bytes) ? 'picture.broken' : 'picture.unknown'); });
    bytes = new Uint8Array(await small.arrayBuffer());
  }
  bytes = strip(bytes);
  const type = sniff(bytes), blob = new Blob([bytes], { type });
  return { blob, type, digest: await digest(bytes), ...(await drawable(blob)), ...told };
}
