// What the app is measured against: a field, bubbles with a tick, a socket; a list. Nothing is encrypted, stored or drawn by a
// library. Served by bare-server.ts.
import { io } from 'socket.io-client';
import * as parser from 'socket.io-msgpack-parser';

const socket = io({ transports: ['websocket'], parser });
const log = document.createElement('div');
const field = document.createElement('textarea');
field.setAttribute('aria-label', 'Message');
document.body.append(log, field);

const show = (id: number, text: string): HTMLElement => {
  const bubble = document.createElement('div');
  bubble.className = 'message';
  bubble.dataset['id'] = String(id);
  const words = document.createElement('p');
  words.className = 'message-text';
  words.textContent = text;
  const tick = document.createElement('span');
  tick.className = 'tick';
  bubble.append(words, tick);
  log.append(bubble);
  while (log.children.length > 12) log.firstElementChild!.remove();
  return tick;
};

let last = 0;
const waiting = new Map<number, HTMLElement>();
field.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  last += 1;
  waiting.set(last, show(last, field.value));
  socket.emit('message', last, new TextEncoder().encode(field.value).buffer);
  field.value = '';
});
socket.on('message', (id: number, bytes: ArrayBuffer) => {
  show(id, new TextDecoder().decode(bytes));
  socket.emit('read', id);
});
socket.on('read', (id: number) => {
  waiting.get(id)!.dataset['status'] = 'read';
  waiting.delete(id);
});
socket.on('connect', () => {
  document.body.append('connected');
});

/** As many rows as the app has chats, all of them there. */
const showRows = (count: number): void => {
  const box = document.createElement('div');
  box.className = 'chat-list-scroll';
  Object.assign(box.style, { height: '600px', width: '380px', overflow: 'auto' });
  for (let at = 0; at < count; at += 1) {
    const row = document.createElement('div');
    row.className = 'chat-row';
    row.style.height = '68px';
    row.textContent = `Friend ${at}`;
    box.append(row);
  }
  document.body.prepend(box);
};
if (location.hash === '#rows') showRows(500);
