/* Names of taxa, as botanists write them: species and genera in italics, the common name beside. */
import { commonName, isItalic, useTaxon } from '../store/taxa.js';
import { link } from '../router.js';
import { t } from '../i18n/index.js';

export function ScientificName({ taxon, fallback }) {
  if (!taxon) return <span class="name">{fallback}</span>;
  return (
    <span class="name">
      {isItalic(taxon.taxonRank) ? <i>{taxon.scientificName}</i> : taxon.scientificName}
    </span>
  );
}

/* `id`: of a taxon document. `linked`: to its page. `author`: with its authorship. */
export function TaxonName({ id, linked = false, author = false, common = true }) {
  const taxon = useTaxon(id);
  const shown = (
    <span class="taxon-name">
      <ScientificName taxon={taxon} fallback={id.replace(/^taxon:/, '')} />
      {author && taxon?.scientificNameAuthorship && <span class="authorship"> {taxon.scientificNameAuthorship}</span>}
      {common && commonName(taxon) && <span class="common">{commonName(taxon)}</span>}
    </span>
  );
  return linked ? <a class="quiet" href={link.taxon(id)}>{shown}</a> : shown;
}

export function Rank({ rank }) {
  return <span class="rank">{t(`rank.${rank}`)}</span>;
}
