/* The first page: what one can do here. */
import { t } from '../i18n/index.js';
import { Icon } from '../parts/icon.jsx';
import { useCell } from '../state.js';
import { me, signUpOffered } from '../store/session.js';

const DOORS = [['observe', 'camera'], ['review', 'review'], ['explore', 'explore']];

export default function Home() {
  const who = useCell(me), offered = useCell(signUpOffered);
  return (
    <div class="home">
      <div class="hero">
        <h1>{who.name ? t('home.welcome', { name: who.name }) : t('home.title')}</h1>
        <p class="lead">{t('home.lead')}</p>
        {!who.name && (
          <p class="row">
            <a class="button primary" href="#/signin">{t('signin')}</a>
            {offered && <a class="button" href="#/signin?new=1">{t('signup')}</a>}
          </p>
        )}
      </div>
      <ul class="doors">
        {DOORS.map(([name, icon]) => (
          <li key={name}>
            <a class="door" href={`#/${name}`}>
              <Icon name={icon} size={30} />
              <h2>{t(`nav.${name}`)}</h2>
              <p>{t(`home.${name}`)}</p>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
