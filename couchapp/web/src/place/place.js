/* Places: rounded for the public, exact and sealed for the site (as `linnet submit` does). */
import { get } from '../store/http.js';
import { kept, keep } from '../store/keep.js';
import { database } from '../store/site.js';

const STEP = 0.2; // degrees
const EARTH_M = 6371009; // mean radius

const rounded = (degrees) => Math.round(Math.round(degrees / STEP) * STEP * 10) / 10;

/* Half the diagonal of a cell of STEP degrees at this latitude, on a sphere. */
function uncertainty(latitude) {
  const degree = EARTH_M * Math.PI / 180;
  return Math.ceil(Math.hypot(degree, degree * Math.cos(latitude * Math.PI / 180)) * STEP / 2);
}

/* The site's public key in base64, or null; remembered for the field. */
async function siteKey() {
  try {
    const { public_key: key } = await get(`${database('reference')}/site:key`);
    keep('packs', [['site:key', key]]);
    return key;
  } catch {
    return (await kept('packs', 'site:key')) ?? null;
  }
}

/* Fetch what sealing needs while there is a network. */
export const prepareSealing = () => siteKey().then((key) => key && import('libsodium-wrappers'));

async function seal(exact) {
  const key = await siteKey();
  if (!key) return null;
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  const box = sodium.crypto_box_seal(JSON.stringify(exact), sodium.from_base64(key, sodium.base64_variants.ORIGINAL));
  return sodium.to_base64(box, sodium.base64_variants.ORIGINAL);
}

/* The location of an observation document for an exact place {latitude, longitude, uncertainty?} (degrees, metres). */
export async function publicPlace({ latitude, longitude, uncertainty: radius = 30 }, publish) {
  const exact = {
    decimalLatitude: Number(latitude.toFixed(7)), decimalLongitude: Number(longitude.toFixed(7)),
    coordinateUncertaintyInMeters: Math.max(1, Math.round(radius)),
  };
  const sealed = await seal(exact);
  return {
    decimalLatitude: rounded(latitude),
    decimalLongitude: rounded(longitude),
    coordinateUncertaintyInMeters: uncertainty(latitude),
    ...(sealed ? { sealed } : {}),
    publish,
  };
}

/* Where the device says that it is: {latitude, longitude, uncertainty}. */
export const devicePlace = () => new Promise((resolve, reject) => {
  if (!navigator.geolocation) { reject(new Error('place.none')); return; }
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude, uncertainty: coords.accuracy }),
    () => reject(new Error('place.none')),
    { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
  );
});
