/* The shell: where one is, where one can go, who one is, and whether what was written is sent. */
import { useEffect, useState } from 'preact/hooks';
import { language, speak, LANGUAGES, t } from './i18n/index.js';
import { Icon } from './parts/icon.jsx';
import { Failure, Waiting } from './parts/bits.jsx';
import { Toast } from './parts/toast.jsx';
import { SyncState } from './parts/syncstate.jsx';
import { route } from './router.js';
import { change, settings, themeNow } from './settings.js';
import { useCell } from './state.js';
import { isAdmin, me } from './store/session.js';
import Home from './pages/home.jsx';

/* Each page is a file of its own, fetched when it is first wanted. */
const PAGES = {
  signin: () => import('./pages/signin.jsx'),
  observe: () => import('./pages/observe.jsx'),
  mine: () => import('./pages/mine.jsx'),
  review: () => import('./pages/review.jsx'),
  o: () => import('./pages/observation.jsx'),
  explore: () => import('./pages/explore.jsx'),
  t: () => import('./pages/taxon.jsx'),
  u: () => import('./pages/user.jsx'),
  admin: () => import('./pages/admin.jsx'),
  account: () => import('./pages/account.jsx'),
};

const loaded = new Map();

/* Resolves when the page is among those that are loaded, or why it is not. */
export async function fetchPage(name) {
  if (!PAGES[name] || loaded.has(name)) return;
  try {
    loaded.set(name, { Page: (await PAGES[name]()).default });
  } catch (error) {
    loaded.set(name, { error });
  }
}

function usePage(name) {
  const [, draw] = useState(0), page = loaded.get(name);
  useEffect(() => {
    if (PAGES[name] && !page) fetchPage(name).then(() => draw((n) => n + 1)); // also where it came between the drawing and now
  }, [name]);
  return page;
}

function Body({ parts, query }) {
  const name = parts[0] || '', page = usePage(name);
  if (name === '') return <Home />;
  if (!PAGES[name]) return <div class="page"><h1>{t('notfound.title')}</h1><p><a href="#/">{t('notfound.home')}</a></p></div>;
  if (!page) return <Waiting />;
  if (page.error) return <div class="page"><Failure error={page.error} again={() => { loaded.delete(name); location.reload(); }} /></div>;
  return <page.Page key={parts.join('/')} parts={parts} query={query} />;
}

function Links({ here, who }) {
  const links = [['observe', 'camera'], ...(who.uid ? [['mine', 'mine']] : []), ['review', 'review'], ['explore', 'explore'],
    ...(isAdmin(who) ? [['admin', 'admin']] : [])];
  return links.map(([name, icon]) => (
    <a key={name} href={`#/${name}`} aria-current={here === name ? 'page' : undefined}>
      <Icon name={icon} size={22} /><span>{t(`nav.${name}`)}</span>
    </a>
  ));
}

function Tools({ who }) {
  const theme = themeNow();
  useCell(settings);
  return (
    <div class="tools">
      <SyncState />
      <select class="language" aria-label={t('language')} value={language.value} onChange={(event) => speak(event.target.value)}>
        {Object.entries(LANGUAGES).map(([tag, name]) => <option key={tag} value={tag} lang={tag}>{name}</option>)}
      </select>
      <button type="button" class="tool" aria-label={t(theme === 'dark' ? 'theme.light' : 'theme.dark')}
        onClick={() => change({ theme: theme === 'dark' ? 'light' : 'dark' })}>
        <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
      </button>
      {who.name
        ? <a class="tool account" href="#/account" aria-label={t('account.of', { name: who.name })}><Icon name="user" /><span>{who.name}</span></a>
        : <a class="tool account" href="#/signin"><Icon name="user" /><span>{t('signin')}</span></a>}
    </div>
  );
}

export function App() {
  const { parts, query } = useCell(route), who = useCell(me);
  useCell(language);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector('main').focus(); }}>{t('skip')}</a>
      <header class="top">
        <a class="brand" href="#/" aria-label={t('home')}><Icon name="leaf" size={26} /><span>Linnet</span></a>
        <nav aria-label={t('nav')}><Links here={parts[0]} who={who} /></nav>
        <Tools who={who} />
      </header>
      <main id="main" tabIndex={-1}><Body parts={parts} query={query} /></main>
      <Toast />
    </>
  );
}
