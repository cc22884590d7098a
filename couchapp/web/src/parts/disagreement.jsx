/* A vote for a taxon above what others say means one of two things; it is asked which. */
import { t } from '../i18n/index.js';
import { isAbove, withAncestors } from '../store/taxa.js';
import { Button, Dialog } from './bits.jsx';
import { TaxonName } from './taxon.jsx';

/* Is the taxon an ancestor of what the community says? */
export async function needsAsking(whole, taxon) {
  const leading = whole.consensus?.taxon;
  if (!leading || leading === taxon) return false;
  await withAncestors([leading, taxon]).catch(() => {});
  return isAbove(taxon, leading);
}

export function Disagreement({ whole, taxon, cast, close }) {
  const leading = whole.consensus.taxon;
  return (
    <Dialog title={t('disagree.title')} close={close}>
      <p class="disagree-text"><TaxonName id={leading} /> {t('disagree.within')} <TaxonName id={taxon} />.</p>
      <div class="stack">
        <Button kind="wide" onClick={() => cast({ vote: 'taxon', taxon })}>{t('disagree.unsure')}</Button>
        <Button kind="wide" onClick={() => cast({ vote: 'taxon', taxon, disagrees_with: leading })}>{t('disagree.disagree')}</Button>
      </div>
    </Dialog>
  );
}
