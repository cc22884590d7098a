/* A place to look about: where one is, or on the map. */
import { useState } from 'preact/hooks';
import { place, t } from '../i18n/index.js';
import { devicePlace } from '../place/place.js';
import { Button } from './bits.jsx';
import { MapPicker } from './mappicker.jsx';
import { say } from './toast.jsx';

/* `value`: "latitude,longitude" or ''. `pick(value)`. `open`: with the map from the beginning. `drop()`: no place, where that may be. */
export function Near({ value, pick, open: begin = false, drop }) {
  const [open, setOpen] = useState(begin), [latitude, longitude] = value.split(',').map(Number);
  const take = (north, east) => { setOpen(false); pick(`${north.toFixed(1)},${east.toFixed(1)}`); };
  const device = () => devicePlace().then((at) => take(at.latitude, at.longitude), (error) => say(t(error.message)));
  return (
    <div class="near">
      <div class="row">
        {value && <span>{place(latitude, longitude)}</span>}
        {value && drop && <Button kind="plain" icon="close" aria-label={t('explore.anyplace')} onClick={drop} />}
        <Button icon="pin" onClick={device}>{t('place.device')}</Button>
        <Button icon="explore" aria-expanded={open} onClick={() => setOpen(!open)}>{t('place.onmap')}</Button>
      </div>
      {open && <MapPicker place={value ? { latitude, longitude } : null} pick={take} />}
    </div>
  );
}
