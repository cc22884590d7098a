/* Validated pictures that look like an observation's: of each candidate beside it, and whatever they show beneath; what is nearly the
 * same picture is said to be. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/index.js';
import { link } from '../router.js';
import { alike } from '../store/alike.js';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';

const BESIDE = 3, BENEATH = 6;

/* As alike(); asked again when there is another identification, for that says which candidates there are. */
export function useAlike({ obs, identification }) {
  const [value, set] = useState(null);
  useEffect(() => {
    let here = true;
    if (identification) alike(obs).then((list) => here && set(list));
    return () => { here = false; set(null); };
  }, [obs, Boolean(identification)]);
  return value;
}

/* The nearest validated pictures of a candidate. */
export function Beside({ pictures }) {
  if (!pictures?.length) return null;
  return (
    <div class="beside-it">
      {pictures.slice(0, BESIDE).map(({ obs, digest, src }) => <a key={digest} href={link.observation(obs)}><img src={src} alt={t('examples.one')} loading="lazy" decoding="async" /></a>)}
    </div>
  );
}

function Twins({ list }) {
  if (list.length === 0) return null;
  return (
    <div class="notice"><Icon name="warning" /><p>{t('similar.twin')} {list.map(({ obs, digest, taxon }, index) => <span key={digest}>{index > 0 && ', '}<a href={link.observation(obs)}><TaxonName id={taxon} common={false} /></a></span>)}</p></div>
  );
}

export function Similar({ found }) {
  if (!found?.all.length) return null;
  return (
    <section class="similar">
      <h2>{t('similar.title')}</h2>
      <Twins list={found.all.filter((one) => one.duplicate)} />
      <ul>
        {found.all.slice(0, BENEATH).map(({ obs, digest, taxon, src }) => (
          <li key={digest}><a class="quiet" href={link.observation(obs)}><img src={src} alt="" loading="lazy" decoding="async" /><TaxonName id={taxon} common={false} /></a></li>
        ))}
      </ul>
    </section>
  );
}
