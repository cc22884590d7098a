/* The views of an observation: one large, the others beneath. */
import { t } from '../i18n/index.js';
import { Picture } from './picture.jsx';
import { Zoom } from './zoom.jsx';

export function Views({ whole, at, choose }) {
  const { views } = whole.observation, view = views[at] || views[0];
  return (
    <div class="views">
      <Zoom label={t('picture.large', { n: at + 1, of: views.length })} name={`${whole.obs}:${view.image}`}>
        <Picture key={view.image} whole={whole} view={view} index={at} />
      </Zoom>
      {views.length > 1 && (
        <div class="strip" role="group" aria-label={t('observe.pictures')}>
          {views.map((one, index) => (
            <button key={one.image} type="button" aria-pressed={index === at} aria-label={t('picture.show', { n: index + 1 })} onClick={() => choose(index)}>
              <Picture whole={whole} view={one} index={index} size="thumb" />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
