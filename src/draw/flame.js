// A flame graph in the browser, in a page or as an svg alone: zoom, search, what is known of a call under
// the pointer, and all of that by keyboard. No library, no network.
'use strict';
const SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
const ROW = 18, COLUMN = 7.25, PAD = 4; // as in flame_svg.c
const svg = document.querySelector('svg.flame'), group = svg.querySelector('.boxes'), key = svg.querySelector('.key');
const page = document.getElementById('tools'), MARGIN = page ? 0 : 14, head = +svg.dataset.head;
const rows = +svg.dataset.rows, down = svg.dataset.way === 'down';

function make(space, name, attributes, text) {
    const node = document.createElementNS(space, name);
    for (const key in attributes)
        node.setAttribute(key, attributes[key]);
    if (text !== undefined)
        node.textContent = text;
    return node;
}

// ---- boxes: each is followed by what it called, from left to right
const path = [];
const boxes = [...group.children].map((g, number) => {
    const title = g.querySelector('title'), lines = title.textContent.split('\n'), row = +g.dataset.row;
    path.length = row;
    const by = path[row - 1] ?? null, weight = +g.dataset.w, start = by ? by.next : 0;
    const box = { g, number, row, by, weight, lines, start, next: start, end: number + 1, calls: [], shown: true,
                  rect: g.querySelector('rect'), label: g.querySelector('text'), small: lines.length === 2 };
    box.name = box.small ? `${parseInt(lines[0], 10)} small` : lines[0];
    box.find = box.small ? '' : [lines[0], ...lines.slice(3)].join('\n').toLowerCase();
    title.remove(); // it would hide what we show
    if (by) {
        by.next += weight;
        by.calls.push(box);
    }
    path.push(box);
    for (const outer of path)
        outer.end = number + 1;
    return box;
});
let focus = boxes[0], at = null, term = '';

// ---- tools: in the page, or in the svg
const bar = make(HTML, 'div', { class: 'tools' });
const input = make(HTML, 'input', { type: 'search', placeholder: 'search calls, files, modules', 'aria-label': 'search' });
const whole = make(HTML, 'button', { type: 'button', class: 'whole' }, 'show all');
const found = make(HTML, 'span', { class: 'found', role: 'status' });
const under = make(HTML, 'div', { class: 'under', 'aria-live': 'polite' });
const frame = page ? null : svg.appendChild(make(SVG, 'foreignObject', { x: 0 }));
const heads = [...svg.querySelectorAll('.head, .sub')].map(node => ({
    node, whole: node.textContent, column: node.classList.contains('head') ? 11.4 : 7.2,
}));
bar.append(input, whole, found);
(page ?? frame).append(bar);
if (page)
    document.body.append(under);
else
    svg.appendChild(make(SVG, 'foreignObject', { width: '100%', height: '100%', 'pointer-events': 'none' })).append(under);
svg.removeAttribute('viewBox');
svg.setAttribute('width', '100%');
svg.setAttribute('tabindex', 0);
svg.setAttribute('role', 'application');
svg.setAttribute('aria-label', 'flame graph');

// ---- drawing
function cut(name, columns) {
    if (columns < 3)
        return '';
    let used = 0, short = '';
    for (const point of name) {
        const wide = point >= '\u1100' ? 2 : 1;
        used += wide;
        if (used > columns)
            return short + '…';
        if (used < columns)
            short += point;
    }
    return name;
}

function holds(outer, box) {
    return outer.number <= box.number && box.number < outer.end;
}

function put(box, wide) {
    const over = box !== focus && holds(box, focus), inside = holds(focus, box);
    const x = over ? 0 : (box.start - focus.start) / focus.weight * wide;
    const w = over ? wide : box.weight / focus.weight * wide;
    box.shown = (over || inside) && w >= .1;
    box.g.setAttribute('display', box.shown ? 'inline' : 'none');
    if (!box.shown)
        return;
    const text = cut(box.name, Math.floor((w - 2 * PAD) / COLUMN));
    box.g.classList.toggle('over', over);
    box.rect.setAttribute('x', x.toFixed(2));
    box.rect.setAttribute('width', (w > 2 ? w - .7 : w).toFixed(2));
    if (!box.label && text)
        box.label = box.g.appendChild(make(SVG, 'text', { y: (down ? box.row : rows - 1 - box.row) * ROW + 13 }));
    box.label?.setAttribute('x', (x + PAD).toFixed(2));
    if (box.label)
        box.label.textContent = text;
}

// What does not fit goes on below. Returns where the key ends.
function flowKey(wide) {
    let x = MARGIN, y = head;
    for (const item of key.children) {
        if (x > MARGIN && x + +item.dataset.wide > wide - MARGIN) {
            x = MARGIN;
            y += 20;
        }
        item.setAttribute('transform', `translate(${x} ${y})`);
        x += +item.dataset.wide;
    }
    return y + 20;
}

function draw() {
    const wide = svg.getBoundingClientRect().width, inner = Math.max(40, wide - 2 * MARGIN);
    let top = flowKey(wide) + 6;
    if (frame) {
        frame.setAttribute('y', top - 4);
        frame.setAttribute('width', wide);
        frame.setAttribute('height', bar.offsetHeight);
        top += bar.offsetHeight;
    }
    svg.setAttribute('height', top + rows * ROW + MARGIN);
    group.setAttribute('transform', `translate(${MARGIN} ${top})`);
    for (const box of boxes)
        put(box, inner);
    for (const text of heads)
        text.node.textContent = cut(text.whole, Math.floor(inner / text.column));
}

function zoom(box) {
    focus = box;
    whole.hidden = focus === boxes[0] && !term;
    find();
    draw();
}

// ---- search: what is found counts with all that it called
function find() {
    let n = 0, weight = 0, until = 0;
    const end = focus.start + focus.weight;
    for (const box of boxes) {
        const hit = term !== '' && box.find.includes(term);
        box.g.classList.toggle('hit', hit);
        if (!hit || !(holds(focus, box) || holds(box, focus)))
            continue;
        n++;
        if (box.number < until)
            continue;
        weight += Math.min(end, box.start + box.weight) - Math.max(focus.start, box.start);
        until = box.end;
    }
    const share = 100 * weight / focus.weight, of = focus === boxes[0] ? 'all' : 'what is shown';
    svg.classList.toggle('searching', term !== '');
    found.textContent = term === '' ? '' : n === 0 ? 'not found'
        : `${n} call${n > 1 ? 's' : ''}, ${share.toFixed(share < 10 ? 1 : 0)}% of ${of}`;
}

function nextFound(step) {
    const hits = boxes.filter(box => box.shown && box.g.classList.contains('hit'));
    if (hits.length)
        choose(hits[(hits.indexOf(at) + step + hits.length) % hits.length]);
}

function reset() {
    input.value = '';
    term = '';
    zoom(boxes[0]);
}

// ---- what is known of a call
function tell(box, x, y) {
    under.style.display = box ? 'block' : 'none';
    if (!box)
        return;
    under.replaceChildren(make(HTML, 'b', {}, box.lines[0]), ...box.lines.slice(1).map(line => make(HTML, 'span', {}, line)));
    const wide = under.offsetWidth, high = under.offsetHeight, right = document.documentElement.clientWidth + scrollX;
    const left = Math.max(scrollX + 4, Math.min(x + 14, right - wide - 8));
    const above = y + 22 + high > innerHeight + scrollY;
    under.style.transform = `translate(${left}px, ${above ? Math.max(scrollY, y - high - 12) : y + 22}px)`;
}

function choose(box) {
    if (!box)
        return;
    at?.g.classList.remove('at');
    at = box;
    at.g.classList.add('at');
    at.rect.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const place = at.rect.getBoundingClientRect();
    tell(at, place.x + scrollX, place.y + scrollY);
}

function boxOf(event) {
    const g = event.target.closest('.boxes > g');
    return g && boxes.find(box => box.g === g);
}

function beside(step) {
    const calls = (at.by?.calls ?? [at]).filter(box => box.shown);
    return calls[calls.indexOf(at) + step];
}

// ---- what people do
group.addEventListener('click', event => {
    const box = boxOf(event);
    zoom(box.small ? box.by : box);
    if (event.pointerType === 'touch')
        tell(box, event.pageX, event.pageY);
});
group.addEventListener('pointermove', event => {
    if (event.pointerType !== 'touch')
        tell(boxOf(event), event.pageX, event.pageY);
});
group.addEventListener('pointerleave', event => {
    if (event.pointerType !== 'touch')
        tell(null);
});
input.addEventListener('input', () => {
    term = input.value.trim().toLowerCase();
    zoom(focus);
});
whole.addEventListener('click', reset);
addEventListener('keydown', event => {
    const inner = () => choose(at ? at.calls.find(box => box.shown) : focus), outer = () => choose(at ? at.by : focus);
    const moves = {
        '/': () => input.focus(), '0': reset, n: () => nextFound(1), N: () => nextFound(-1),
        ArrowUp: down ? outer : inner, ArrowDown: down ? inner : outer, Enter: () => at && zoom(at.small ? at.by : at),
        ArrowLeft: () => choose(at ? beside(-1) : focus), ArrowRight: () => choose(at ? beside(1) : focus),
    };
    const acts = {
        Escape: () => { tell(null); reset(); svg.focus(); },
        ...(event.target === input ? { Enter: () => nextFound(event.shiftKey ? -1 : 1) } : moves),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key] || event.target.closest?.('button'))
        return;
    event.preventDefault();
    acts[event.key]();
});

// ---- dark and light: an svg alone has the viewer's by its style
const button = document.getElementById('theme');
if (button) {
    const darkness = matchMedia('(prefers-color-scheme: dark)'), set = document.documentElement.dataset;
    set.theme = svg.dataset.dark === '1' || darkness.matches ? 'dark' : 'light';
    darkness.addEventListener('change', () => { set.theme = darkness.matches ? 'dark' : 'light'; });
    button.addEventListener('click', () => { set.theme = set.theme === 'dark' ? 'light' : 'dark'; });
}
zoom(boxes[0]);
addEventListener('resize', draw);
