/* Pictures: the store's normalized one where there is one, else what lies on this device. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { picture } from '../store/mine.js';
import { pictureOf } from '../store/observations.js';
import { Icon } from './icon.jsx';

/* A URL for a picture that is only here; null while it is looked for or if it is nowhere. */
function useLocal(id, wanted) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    if (!wanted) return undefined;
    let made = null, here = true;
    picture(id).then((blob) => {
      if (!blob || !here) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    }, () => {});
    return () => { here = false; if (made) URL.revokeObjectURL(made); };
  }, [id, wanted]);
  return url;
}

export function Picture({ whole, view, index, size = 'src', ...rest }) {
  const there = pictureOf(whole, view.image);
  const local = useLocal(`${whole.obs}:image:${view.image}`, !there.src);
  const url = there[size] || there.src || local;
  const [failed, setFailed] = useState(false);
  useEffect(() => setFailed(false), [url]);
  if (!url || failed) {
    return <div class="no-picture" role="img" aria-label={t('picture.waiting')}><Icon name="picture" size={28} /></div>;
  }
  const organ = t(`organ.${whole.identification?.organs?.[view.image] || view.organ}`);
  return (
    <img src={url} alt={t('picture.alt', { n: index + 1, organ })} draggable={false} decoding="async"
      width={there.width} height={there.height} onError={() => setFailed(true)} {...rest} />
  );
}
