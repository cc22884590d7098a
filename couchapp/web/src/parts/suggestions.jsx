/* What the machine suggests, best first, each with its score; one key or one tap takes it. */
import { useEffect, useState } from 'preact/hooks';
import { percent, t } from '../i18n/index.js';
import { pictureOf, readWhole, view } from '../store/observations.js';
import { Score } from './bits.jsx';
import { Icon } from './icon.jsx';
import { TaxonName } from './taxon.jsx';
import { Beside } from './similar.jsx';
import { useTaxon } from '../store/taxa.js';

export const SHOWN = 5;
const COMPARED = 3;

/* Validated pictures of a taxon, thumbs of up to COMPARED observations. */
function useExamples(taxon, but) {
  const [list, setList] = useState(null);
  useEffect(() => {
    let here = true;
    setList(null);
    (async () => {
      const { rows } = await view('main', 'by_taxon', { startkey: [taxon, 'research', '\ufff0'], endkey: [taxon, 'research'], descending: true, reduce: false, limit: COMPARED + 1 });
      const wholes = await Promise.all(rows.map((row) => row.key[2]).filter((obs) => obs !== but).slice(0, COMPARED).map((obs) => readWhole(obs)));
      const found = wholes.filter((whole) => whole?.observation).map((whole) => ({ obs: whole.obs, ...pictureOf(whole, whole.observation.views[0].image) }));
      if (here) setList(found.filter((one) => one.src));
    })().catch(() => here && setList([]));
    return () => { here = false; };
  }, [taxon, but]);
  return list;
}

export function Examples({ taxon, but }) {
  const list = useExamples(taxon, but);
  if (!list) return <p class="small">{t('loading')}</p>;
  if (list.length === 0) return <p class="small">{t('examples.none')}</p>;
  return (
    <div class="examples">
      {list.map(({ obs, src }) => <a key={obs} href={`#/o/${obs}`}><img src={src} alt={t('examples.one')} loading="lazy" /></a>)}
    </div>
  );
}

/* A look-alike that must not be taken for it, in so many words. */
function Danger({ taxon }) {
  const found = useTaxon(taxon), alike = found?.lookAlikes?.find((one) => one.toxic);
  if (found?.toxic) return <p class="danger"><Icon name="warning" size={16} />{t('danger.toxic')}</p>;
  if (!alike) return null;
  return <p class="danger"><Icon name="warning" size={16} /><span>{t('danger.alike')} <TaxonName id={alike.taxon} /></span></p>;
}

/* `found`: what looks like it (useAlike), if anybody knows. */
export function Suggestions({ whole, choose, chosen, found }) {
  const { identification } = whole, [open, setOpen] = useState(null);
  if (!identification) return <p class="small waiting-line" role="status">{t('suggest.waiting')}</p>;
  const list = identification.species.slice(0, SHOWN);
  if (list.length === 0) return <p class="small">{t('suggest.none')}</p>;
  return (
    <ol class="suggestions">
      {list.map(({ taxon, score }, index) => (
        <li key={taxon} class={chosen === taxon ? 'chosen' : ''}>
          <button type="button" class="suggestion" aria-keyshortcuts={String(index + 1)} aria-pressed={chosen === taxon} disabled={!choose} onClick={() => choose(taxon, index + 1)}>
            <kbd>{index + 1}</kbd><TaxonName id={taxon} /><Score value={score} label={t('suggest.score', { score: percent(score) })} />
          </button>
          <button type="button" class="compare" aria-expanded={open === taxon} aria-label={t('suggest.compare', { n: index + 1 })} onClick={() => setOpen(open === taxon ? null : taxon)}>
            <Icon name="picture" size={18} />
          </button>
          <Danger taxon={taxon} />
          {open !== taxon && <Beside pictures={found?.byTaxon.get(taxon)} />}
          {open === taxon && <Examples taxon={taxon} but={whole.obs} />}
        </li>
      ))}
    </ol>
  );
}
