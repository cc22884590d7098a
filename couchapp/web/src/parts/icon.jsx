/* Drawn on a grid of 24, one stroke wide. They decorate: the words beside them, or a label, say what they mean. */
const PATHS = {
  leaf: 'M12 21v-9M12 13c-5 0-8-3-8-9 6 0 8 4 8 9ZM12 17c4 0 7-2.5 7-7.5-5 0-7 3-7 7.5Z',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4ZM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z',
  picture: 'M4 5h16v14H4ZM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01',
  review: 'M4 12.5 9 17 20 6',
  explore: 'M3 6.5 9 4l6 2.5L21 4v13.5L15 20l-6-2.5L3 20ZM9 4v13.5M15 6.5V20',
  mine: 'M5 4h14v16l-7-4-7 4Z',
  admin: 'M4 19V9M10 19V5M16 19v-7M21 19H3',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4',
  moon: 'M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5Z',
  close: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  left: 'M14.5 5.5 8 12l6.5 6.5',
  right: 'M9.5 5.5 16 12l-6.5 6.5',
  undo: 'M9 7 4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-2',
  pin: 'M12 21c5-5.5 7-8.5 7-11.5a7 7 0 1 0-14 0C5 12.5 7 15.5 12 21ZM12 11.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  calendar: 'M4 6h16v14H4ZM4 10.5h16M8 3.5V8M16 3.5V8',
  cloud: 'M7 18.5a4 4 0 0 1-.5-8A5.5 5.5 0 0 1 17 9.5a4.5 4.5 0 0 1 .5 9Z',
  cloudOff: 'M7 18.5a4 4 0 0 1-.5-8c.3-1 .8-1.8 1.5-2.5M11 6a5.5 5.5 0 0 1 6 3.5 4.5 4.5 0 0 1 2.5 7.5M4 4l16 16',
  check: 'M5 12.5 10 17 19 7.5',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.5l3 1.5',
  warning: 'M12 4 2.5 20h19ZM12 10v4.5M12 17.2v.01',
  flag: 'M6 21V4M6 5h11l-2 4 2 4H6',
  trash: 'M5 7h14M9 7V4.5h6V7M7 7l1 13h8l1-13',
  comment: 'M4 5h16v11H10l-4.5 4V16H4Z',
  zoom: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20M10.5 8v5M8 10.5h5',
  keyboard: 'M3 7h18v11H3ZM7 10.5h.01M11 10.5h.01M15 10.5h.01M8 14.5h8',
  out: 'M14 4.5H5v15h9M10 12h10M16.5 8.5 20 12l-3.5 3.5',
  list: 'M8 6.5h12M8 12h12M8 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01',
};

export function Icon({ name, size = 20, label }) {
  const hidden = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true };
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6"
      stroke-linecap="round" stroke-linejoin="round" {...hidden}>
      <path d={PATHS[name]} />
    </svg>
  );
}
