/* An observation as a card in a list. */
import { day, t } from '../i18n/index.js';
import { link } from '../router.js';
import { timeOf } from '../store/ids.js';
import { StateBadge } from './bits.jsx';
import { Picture } from './picture.jsx';
import { TaxonName } from './taxon.jsx';

export function Card({ whole }) {
  const { observation, identification, consensus } = whole, taxon = consensus?.taxon || identification?.best?.taxon;
  return (
    <li class="tile">
      <a href={link.observation(whole.obs)}>
        <div class="tile-picture"><Picture whole={whole} view={observation.views[0]} index={0} size="thumb" /></div>
        <div class="tile-text">
          <p class="tile-name">{taxon ? <TaxonName id={taxon} /> : t('mine.unnamed')}</p>
          <p class="small">{day(observation.observed_at || timeOf(whole.obs))}</p>
          <StateBadge state={consensus?.valid ? 'valid' : identification ? 'identified' : 'sent'} />
        </div>
      </a>
    </li>
  );
}

/* The place that may be shown, or null. */
export const placeOf = ({ consensus, observation }) => {
  const at = consensus ? consensus.location : observation.location;
  return at?.decimalLatitude === undefined ? null : { latitude: at.decimalLatitude, longitude: at.decimalLongitude };
};
