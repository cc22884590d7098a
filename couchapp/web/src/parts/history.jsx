/* How an observation came to be what it is: who did what when, as the documents tell. */
import { moment, t } from '../i18n/index.js';
import { timeOf } from '../store/ids.js';
import { TaxonName } from './taxon.jsx';

/* Results hold no clock (they would differ from run to run): they stand in their order after what they were made of. */
function events(whole) {
  const { observation, identification, consensus } = whole, used = Object.keys(whole.normalized).length;
  const told = [{ at: observation.created_at || timeOf(whole.obs).toISOString(), text: t('history.observed', { n: observation.views.length }) }];
  if (observation.updated_at) told.push({ at: observation.updated_at, text: t('history.edited') });
  if (used) told.push({ text: t('history.normalized', { n: used }) });
  if (identification) told.push({ text: t('history.identified', { model: identification.model || '?' }), taxon: identification.best?.taxon });
  for (const vote of whole.validations) told.push({ at: vote.created_at, text: t(`history.${vote.vote}`), taxon: vote.taxon });
  for (const one of whole.comments) told.push({ at: one.created_at, text: t('history.comment') });
  if (consensus?.taxon) told.push({ text: t(consensus.valid ? 'history.valid' : 'history.consensus'), taxon: consensus.taxon });
  return told;
}

export function History({ whole }) {
  return (
    <details class="history">
      <summary>{t('history')}</summary>
      <ol>
        {events(whole).map(({ at, text, taxon }, index) => (
          <li key={index}>{at ? <time dateTime={at}>{moment(at)}</time> : <span class="when-unknown" />}<span>{text} {taxon && <TaxonName id={taxon} linked common={false} />}</span></li>
        ))}
      </ol>
    </details>
  );
}
