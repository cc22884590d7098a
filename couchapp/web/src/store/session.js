/* Who is signed in: CouchDB's cookie session. Name, uid and roles are remembered, so that one stays oneself offline. */
import { Cell } from '../state.js';
import { ask, get } from './http.js';
import { site } from './site.js';
import { KEY, NOBODY, remembered } from './who.js';

export const me = new Cell(remembered());
export const signUpOffered = new Cell(false);

function become(context) {
  const roles = context.roles || [];
  const uid = roles.find((role) => role.startsWith('u:'))?.slice(2) ?? null;
  const next = context.name ? { name: context.name, uid, roles } : NOBODY;
  if (JSON.stringify(next) !== JSON.stringify(me.value)) me.set(next);
  try { localStorage.setItem(KEY, JSON.stringify(next)); } catch { /* remembered for this page only */ }
}

export const isAdmin = (who = me.value) => who.roles.includes('_admin') || who.roles.includes('admin');

/* Ask the store who we are. Offline the remembered answer holds. */
export async function checkSession() {
  try {
    become((await get(`${site.root}_session`)).userCtx);
  } catch (error) {
    if (!error.offline) become({ name: null });
  }
}

/* HttpError 401: unknown name or wrong password. */
export async function signIn(name, password) {
  await ask('POST', `${site.root}_session`, new URLSearchParams({ name, password }));
  await checkSession();
}

export async function signOut() {
  try {
    await ask('DELETE', `${site.root}_session`);
  } finally {
    become({ name: null });
  }
}

/* Sign-up is an endpoint of `linnet serve`: shown only where that answers, and is open. An empty request is told what it lacks. */
export async function findSignUp() {
  try {
    const answer = await fetch(`${site.api}/signup`, { method: 'POST', credentials: 'same-origin', headers: { 'content-type': 'application/json' }, body: '{}' });
    signUpOffered.set([400, 422].includes(answer.status));
  } catch {
    signUpOffered.set(false);
  }
}

export async function signUp(name, password) {
  await ask('POST', `${site.api}/signup`, { name, password });
  await signIn(name, password);
}
