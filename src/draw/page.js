// Draws the page's data and lets the viewer zoom, read values and open marks. No library, no network.
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const plot = document.getElementById('plot'), hover = document.getElementById('hover');
const panel = document.getElementById('panel'), panelText = panel.querySelector('pre');
const svg = make('svg', { tabindex: 0, role: 'img', 'aria-label': data.title });
const canvas = document.createElement('canvas');
const full = { from: data.begin, to: data.end };
let view = { ...full }, boxes = [], scheduled = false, opened = -1;
plot.prepend(canvas, svg);

function isDark() {
    return document.documentElement.dataset.theme === 'dark';
}

function make(name, attributes, text) {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const key in attributes)
        node.setAttribute(key, attributes[key]);
    if (text !== undefined)
        node.textContent = text;
    return node;
}

function css(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// ---- units
function unitOf(largest) {
    if (data.measure !== 'bytes')
        return { name: data.measure === 's' ? (data.rate ? 's/s' : 's') : data.rate ? '1/s' : '', one: 1 };
    const minute = data.rate && largest < 2 ** 20 ? 60 : 1;
    const names = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
    let i = 0;
    while (i < 4 && largest * minute >= 1.5 * 1024 ** (i + 2))
        i++;
    return { name: names[i] + (data.rate ? (minute > 1 ? '/min' : '/s') : ''),
             one: 1024 ** (i + 1) / minute };
}

function value(v, unit = unitOf(Math.abs(v) * 1.51)) {
    const n = v / unit.one, size = Math.abs(n), more = data.diff && n > 0 ? '+' : '';
    const digits = data.measure === 'count' && !data.rate ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : size >= .1 || v === 0 ? 2 : 3;
    return more + n.toFixed(digits) + (unit.name ? ' ' + unit.name : '');
}

const DAY = 86400; // tics that are as far apart tell days
function time(t, step, hours = false) {
    if (data.told.s) {
        const digits = Math.max(0, Math.ceil(-Math.log10(step / data.told.s) - 1e-9));
        return `${+(t / data.told.s).toFixed(digits + (digits ? 1 : 0))} ${data.told.unit}`;
    }
    if (step < 20) // with a digit more than the step has
        return Number(t.toFixed(Math.min(9, Math.max(0, 1 - Math.floor(Math.log10(step)))))) + ' s';
    const s = Math.round(t), two = n => String(n).padStart(2, '0'), rest = s % DAY;
    if (step >= DAY)
        return `${Math.floor(s / DAY)} d` + (rest < 60 ? '' : ` ${Math.floor(rest / 3600)}:${two(Math.floor(rest / 60) % 60)}`);
    return s < 3600 && !hours ? `${Math.floor(s / 60)}:${two(s % 60)}`
                    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

function roundStep(least) {
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 2.5, 5, 10].find(m => m * power >= least * (1 - 1e-9)) * power;
}

function timeStep(span, tics) {
    const steps = [20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];
    if (data.told.s)
        return roundStep(span / data.told.s / tics) * data.told.s;
    return span < 120 ? roundStep(span / tics)
                      : steps.find(s => span / s <= tics) ?? DAY * Math.ceil(span / tics / DAY);
}

// Between the tics of a box; times in texts are as fine.
function ticStep(box) {
    return timeStep(view.to - view.from, Math.min(9, Math.max(1, Math.floor(box.w / 80))));
}

// Of a logarithmic axis: 1, 10 and 100 of each unit; 1, 2, 5 where they are few.
function tenfolds(low, high) {
    const base = data.measure === 'bytes' ? 1024 : 1000, found = [];
    const steps = high < 200 * low ? [1, 2, 5, 10, 20, 50, 100, 200, 500] : [1, 10, 100];
    for (let u = Math.floor(Math.log(low) / Math.log(base)) - 1; base ** u <= high * base; u++)
        found.push(...steps.map(m => m * base ** u));
    return found;
}

function tenfold(v) {
    if (data.measure !== 'bytes')
        return +v.toPrecision(6) + (data.measure === 's' ? ' s' : '');
    const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'], u = Math.min(5, Math.floor(Math.log2(v) / 10 + 1e-9));
    return `${+(v / 1024 ** u).toPrecision(6)} ${names[u]}`;
}

// Its ends in bytes, as the axis or the colours have them.
function logScale(largest) {
    const top = largest || 1024, least = data.low ?? Math.max(data.smallest, top / 1e6);
    const tics = tenfolds(least, Math.max(top, least));
    let low = data.low ?? tics.findLast(t => t <= least * 1.000001);
    const high = data.high ?? tics.find(t => t > Math.max(top, least) * 1.000001);
    const unit = { name: '', one: 1 };
    if (low >= high)
        low = high / 10;
    return { unit, low, high, tics: tics.filter(t => t >= low * .999 && t <= high * 1.001), say: tenfold, value,
             share: v => Math.log(Math.max(v, 0) / low || 1) / Math.log(high / low) };
}

// ---- curves: step functions
function indexAt(times, t) {
    let low = 0, high = times.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

function valueAt(curve, t) {
    const i = indexAt(curve.t, t);
    return i < 0 || t > curve.end ? null : curve.v[i];
}

// More curves than colours are told apart by signs upon them.
const colours = data.palette === 'grey' ? 2 : 6;
let told = 0;
for (const curve of data.curves) {
    curve.colour = curve.quiet ? 'var(--thin)' : `var(--c${told % colours})`;
    curve.sign = curve.quiet || data.form !== 'lines' ? 0 : Math.floor(told / colours) % 5;
    curve.number = curve.quiet ? 0 : ++told;
    curve.top = curve.v;
}
if (data.form === 'band')
    data.curves.forEach(c => { c.colour = 'var(--c0)'; });
if (data.runs.length) // a colour a run, a shade a curve
    data.curves.forEach(c => {
        const pale = c.quiet && data.form === 'lines' ? 72 : c.shade * 45;
        c.colour = `color-mix(in srgb, var(--bg) ${pale}%, var(--c${c.run % colours}))`;
        c.sign = c.quiet || data.form !== 'lines' ? 0 : Math.floor(c.run / colours) % 5;
    });
else if (data.form === 'multiples')
    data.curves.forEach(c => { if (!c.quiet) c.colour = 'var(--c0)'; });
const layered = data.form === 'stacked' || data.form === 'heap';
if (data.form === 'stacked')
    stack();
if (data.form === 'heap')
    data.curves.forEach((c, i) => {
        c.colour = `var(--o${c.group})`;
        c.top = i ? c.v.map((v, k) => v + data.curves[i - 1].top[k]) : c.v;
    });

// Two hues by turns for nodes, from dark to light for the ranks of each.
function stack() {
    const groups = [...new Set(data.curves.map(c => c.group))];
    let below = null;
    groups.forEach((group, node) => {
        const layers = data.curves.filter(c => c.group === group), hue = node % 2;
        layers.forEach((curve, i) => {
            const at = layers.length > 1 ? i / (layers.length - 1) * 3 : 1.2, from = Math.min(2, Math.floor(at));
            curve.colour = `color-mix(in srgb, var(--h${hue}${from + 1}) ${(at - from) * 100}%, var(--h${hue}${from}))`;
            curve.top = below ? curve.v.map((v, k) => v + below[k]) : curve.v;
            below = curve.top;
        });
    });
}

const ROW_GAP = 54, NAME_PX = 8;

// Names beside the curves have the room that they want; on a phone the key above has them.
function marginOf(width) {
    const names = data.form === 'stacked' ? data.nodes : data.curves.filter(c => !c.quiet).map(c => c.label);
    const longest = Math.min(17, Math.max(3, ...names.map(name => name.length)));
    return isNarrow(width) || data.form === 'heap' ? 12 : 24 + NAME_PX * longest + 14 * data.curves.some(c => c.sign);
}

function isNarrow(width) {
    return width < 560;
}

// ---- layout: one box, or a small one per node
function layOut(width, height) {
    const groups = data.form === 'multiples' ? [...new Set(data.curves.map(c => c.group))] : [null];
    const columns = groups.length === 1 ? 1 : Math.max(1, Math.min(groups.length <= 4 ? 2 : 4,
                                                                   Math.floor(width / 220)));
    const rows = Math.ceil(groups.length / columns), one = groups.length === 1;
    const left = data.map ? 84 : data.log ? 64 : 52, above = data.map && data.runs.length ? 44 : 34, right = one ? (data.map ? (data.diff ? 112 : 96) : marginOf(width)) : 14, gap = 24;
    const wide = (width - left - right - (columns - 1) * gap) / columns;
    const high = (height - 24 - (above - 34) - rows * ROW_GAP) / rows;
    return groups.map((group, i) => ({
        group, x: left + (i % columns) * (wide + gap), y: above + Math.floor(i / columns) * (high + ROW_GAP),
        w: Math.max(40, wide), h: Math.max(40, high), first: i % columns === 0,
        curves: data.curves.filter(c => group === null || c.group === group),
    }));
}

function largestIn(curves) {
    let largest = 0, least = 0;
    for (const curve of curves) {
        const end = indexAt(curve.t, view.to);
        for (let i = Math.max(0, indexAt(curve.t, view.from)); i <= end; i++) {
            largest = Math.max(largest, curve.top[i]);
            least = Math.min(least, curve.top[i]);
        }
    }
    return { largest, least };
}

function scaleOf() {
    let { largest, least } = largestIn(data.curves);
    const whole = view.from === full.from && view.to === full.to;
    if (data.limit && (whole || largest > 0.7 * data.limit.value))
        largest = Math.max(largest, data.limit.value);
    if (data.rate) // what is freed at once would press all growth flat
        least = Math.max(least, -largest);
    if (data.log)
        return logScale(largest);
    least = data.low ?? least;
    largest = data.high ?? Math.max(largest, data.low === null ? 0 : least + Math.max(Math.abs(least), 1));
    const unit = unitOf(Math.max(largest, -least));
    const top = largest > 0 ? largest / unit.one : least < 0 ? 1e-9 : 1, low = least / unit.one;
    const span = (top - low) * 1.12, high = data.high === null ? low + span : data.high / unit.one;
    const most = Math.floor(data.form === 'multiples' ? Math.min(6, Math.max(1, boxes[0].h / 20))
                                                      : Math.min(8, Math.max(2, boxes[0].h / 36)));
    let step = roundStep(span / most);
    if (data.measure === 'bytes' && span > 2 * most)
        step = 2 ** Math.ceil(Math.log2(span / most));
    if (data.measure === 'count' && !data.rate)
        step = Math.max(step, 1);
    let from = data.low !== null ? low : low < 0 ? Math.floor(low / step) * step : 0;
    const tics = [];
    if (from >= high) // all values lie above what was asked for
        from = high - Math.max(Math.abs(high), 1);
    for (let i = Math.ceil(from / step - 1e-9); i * step <= high + 1e-9; i++)
        tics.push(i * step * unit.one);
    return { unit, step, high, low: from, tics, say: v => +(v / unit.one).toPrecision(6), value: v => value(v, unit),
             share: v => (v / unit.one - from) / (high - from) };
}

// ---- drawing
function draw() {
    scheduled = false;
    const focused = document.activeElement?.dataset.mark; // its element is drawn anew
    const width = plot.clientWidth, height = plot.clientHeight;
    document.getElementById('key').hidden = !data.key && !isNarrow(width) && !(data.form === 'multiples' && data.runs.length);
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.replaceChildren();
    boxes = layOut(width, height);
    const scale = scaleOf();
    const clip = make('defs', {});
    svg.append(clip);
    if (data.axis)
        svg.append(make('text', { x: boxes[0].x + (boxes.length > 1 ? width : boxes[0].w), y: height - 4, 'text-anchor': 'end' }, data.axis));
    boxes.forEach((box, i) => {
        box.px = t => box.x + (t - view.from) / (view.to - view.from) * box.w;
        box.py = v => box.y + box.h * (1 - scale.share(v));
        box.foot = box.py(Math.max(0, scale.low * scale.unit.one));
        const path = make('clipPath', { id: `box${i}` });
        path.append(make('rect', { x: box.x, y: box.y, width: box.w, height: box.h }));
        clip.append(path);
        drawBox(box, scale, make('g', { 'clip-path': `url(#box${i})` }));
    });
    drawMap();
    drawMarks();
    if (focused !== undefined)
        svg.querySelector(`[data-mark="${focused}"]`)?.focus();
}

function schedule() {
    if (!scheduled)
        requestAnimationFrame(draw);
    scheduled = true;
}

function line(x1, y1, x2, y2, stroke, more) {
    return make('line', { x1, y1, x2, y2, stroke: `var(${stroke})`, ...more });
}

function drawBox(box, scale, inside) {
    const bottom = box.y + box.h, right = box.x + box.w;
    for (const v of data.map ? [] : scale.tics) {
        const y = box.py(v);
        svg.append(line(box.x, y, right, y, '--grid'));
        if (box.first)
            svg.append(make('text', { x: box.x - 8, y: y + 4, 'text-anchor': 'end' }, scale.say(v)));
    }
    if (!data.map && box.first)
        svg.append(make('text', { x: box.x - 8, y: box.y - 9, 'text-anchor': 'end' }, scale.unit.name));
    const step = ticStep(box);
    for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
        svg.append(line(box.px(t), bottom, box.px(t), bottom + 5, '--axis'));
        svg.append(make('text', { x: box.px(t), y: bottom + 20, 'text-anchor': 'middle' }, time(t, step, data.end >= 3600)));
    }
    svg.append(line(box.x, bottom, right, bottom, '--axis'));
    drawLimit(box, scale, inside);
    svg.append(inside);
    box.curves.filter(c => c.quiet).forEach(c => drawCurve(box, c, inside));
    drawBand(box, inside);
    const loud = box.curves.filter(c => !c.quiet);
    (layered ? [...loud].reverse() : loud).forEach(c => drawCurve(box, c, inside));
    loud.filter(c => c.sign).forEach(c => drawSigns(box, c, inside, loud.length));
    drawEvents(box, inside);
    drawPhases(box, inside);
    if (box.group !== null) {
        const all = loud.flatMap(c => c.v), peak = data.diff ? farthest(all) : Math.max(0, ...all);
        svg.append(make('text', { x: box.x, y: box.y - 9, class: 'name' }, loud[0]?.label ?? ''));
        svg.append(make('text', { x: right, y: box.y - 9, 'text-anchor': 'end' }, `${data.diff ? '' : 'peak '}${scale.value(peak)}`));
    } else {
        drawNames(box, loud);
        drawPeaks(box, scale, inside);
    }
}

function drawLimit(box, scale, inside) {
    if (!data.limit)
        return;
    const y = box.py(data.limit.value);
    inside.append(make('rect', { x: box.x, y: box.y, width: box.w, height: Math.max(0, y - box.y),
                                 fill: 'var(--band)' }));
    inside.append(line(box.x, y, box.x + box.w, y, '--limit', { 'stroke-dasharray': '6 4', 'stroke-width': 1.3 }));
    if (box.group === null)
        inside.append(make('text', { x: box.x + 8, y: y - 7, class: 'event' }, `${data.limit.text} ${scale.value(data.limit.value)}`));
}

// From the value before the view to the one behind it.
function steps(box, curve, values) {
    const first = Math.max(0, indexAt(curve.t, view.from)), points = [];
    for (let i = first; i < curve.t.length && (i === first || curve.t[i - 1] <= view.to); i++) {
        const x = box.px(curve.t[i]), y = box.py(values[i]);
        points.push(points.length ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`);
    }
    if (points.length)
        points.push(`H${box.px(curve.end).toFixed(1)}`);
    return { path: points.join(''), from: curve.t[first] };
}

function drawCurve(box, curve, inside) {
    const { path, from } = steps(box, curve, curve.top);
    if (!path)
        return;
    if (data.diff && data.curves.length === 1)
        drawSides(box, `${path}V${box.foot}H${box.px(from)}Z`, inside);
    if (layered || (data.form === 'multiples' && !curve.quiet && !data.runs.length))
        inside.append(make('path', {
            d: `${path}V${box.foot}H${box.px(from)}Z`, fill: curve.colour,
            'fill-opacity': layered ? 1 : .12,
        }));
    if (layered)
        inside.append(make('path', { d: path, fill: 'none', stroke: 'var(--bg)',
                                     'stroke-width': data.curves.length > 24 ? 0 : .6 }));
    else if (data.form !== 'band' || data.curves.indexOf(curve) % 3 === 2)
        inside.append(make('path', { d: path, fill: 'none', stroke: curve.colour,
                                     'stroke-width': curve.quiet ? .8 : 1.8, 'stroke-linejoin': 'round' }));
}

// Places of a curve's signs lie apart from those of the others.
function drawSigns(box, curve, inside, n) {
    for (let k = 0; k < 9; k++) {
        const t = view.from + (k + curve.number / (n + 1)) / 9 * (view.to - view.from), v = valueAt(curve, t);
        if (v !== null)
            inside.append(sign(curve, box.px(t), box.py(v)));
    }
}

function sign(curve, x, y) {
    const d = ['', 'a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z', 'm.5 -3.5h7v7h-7z', 'l4 -5l4 5l-4 5z', 'm0 -4h8l-4 7z'][curve.sign];
    return make('path', { d: `M${x - 4} ${y}${d}`, class: 'sign', fill: curve.colour });
}

function drawBand(box, inside) {
    if (data.form !== 'band')
        return;
    for (let k = 0; k < data.curves.length; k += 3) {
        const [low, high] = data.curves.slice(k, k + 2), at = i => `${box.px(low.t[i]).toFixed(1)} `;
        const up = low.t.map((_, i) => at(i) + box.py(high.v[i]).toFixed(1));
        const down = low.t.map((_, i) => at(i) + box.py(low.v[i]).toFixed(1)).reverse();
        inside.append(make('path', { d: `M${[...up, ...down].join('L')}Z`, fill: high.colour, 'fill-opacity': .18 }));
    }
}

// Above and below 0 in two colours.
function drawSides(box, d, inside) {
    const sides = [[box.y, box.foot, 'var(--more)'], [box.foot, box.y + box.h, 'var(--less)']];
    sides.forEach(([y, end, fill], i) => {
        const path = make('clipPath', { id: `side${i}` });
        path.append(make('rect', { x: box.x, y, width: box.w, height: Math.max(0, end - y) }));
        svg.append(path);
        inside.append(make('path', { d, fill, 'fill-opacity': .35, 'clip-path': `url(#side${i})` }));
    });
}

function drawEvents(box, inside) {
    const rows = [-1e9, -1e9];
    for (const event of box.group === null ? data.events : []) {
        const x = box.px(Math.min(event.t, data.end));
        const [top, foot] = data.map ? placeOf(box, event.run) : [box.y, box.y + box.h];
        inside.append(line(x, top, x, foot, '--limit', { 'stroke-dasharray': '2 4' }));
        const left = x - box.x < event.text.length * 6.6 && x - box.x < box.w / 2;
        const most = Math.max(1, Math.floor((left ? plot.clientWidth - x - 8 : x) / 6.6));
        const text = event.text.length > most ? event.text.slice(0, most - 1) + '…' : event.text;
        const width = text.length * 6.6;
        const row = data.map && data.runs.length ? -1 : rows.findIndex(end => (left ? x : x - width) >= end);
        if (x < box.x || x > box.x + box.w + 1 || row < 0)
            continue;
        rows[row] = left ? x + width : x + 6;
        svg.append(make('text', { x, y: box.y - 8 - 15 * row, class: 'event', 'text-anchor': left ? 'start' : 'end' }, text));
    }
}

// A line where a phase of the program begins and ends, and its name above the time axis.
function drawPhases(box, inside) {
    const rows = [-1e9, -1e9, -1e9];
    for (const phase of box.group === null ? data.phases : []) {
        for (const x of [box.px(phase.from), box.px(phase.to)])
            inside.append(line(x, box.y, x, box.y + box.h, '--mut', { 'stroke-dasharray': '2 6', 'stroke-width': .9 }));
        const x = Math.max(box.px(phase.from), box.x), width = phase.name.length * 6.6 + 8;
        const row = rows.findIndex(end => x >= end);
        if (row < 0 || x + width > box.x + box.w || box.px(phase.to) < box.x)
            continue;
        rows[row] = x + width;
        svg.append(make('text', { x: x + 4, y: box.y + box.h - 7 - 15 * row, class: 'phase' }, phase.name));
    }
}

function farthest(values) {
    return values.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a, 0);
}

// Of few lines each, of more the largest, of a band its upper edge.
function drawPeaks(box, scale, inside) {
    const loud = data.curves.filter(c => !c.quiet), highest = c => data.diff ? farthest(c.v) : c.v.reduce((a, b) => Math.max(a, b), -Infinity);
    const size = c => Math.abs(highest(c)), bands = data.curves.filter((_, i) => i % 3 === 1);
    if (data.map || layered)
        return;
    const few = data.form === 'band' ? bands : loud.sort((a, b) => size(b) - size(a)).slice(0, loud.length > 4 ? 1 : 4);
    const taken = [];
    for (const curve of few.filter(c => c.v.length)) {
        const v = highest(curve), t = curve.t[curve.v.indexOf(v)], x = box.px(t), y = box.py(v);
        const said = `${data.diff ? '' : 'peak '}${scale.value(v)} at ${time(t, ticStep(box))}`, wide = said.length * 6.6;
        const left = Math.min(Math.max(x - wide / 2, box.x), box.x + box.w - wide);
        inside.append(make('path', { d: `M${x - 4.5} ${y + 3}h9l-4.5 -8z`, fill: curve.colour }));
        if (x < box.x || x > box.x + box.w || taken.some(o => Math.abs(o.left - left) < wide && Math.abs(o.y - y) < 15))
            continue;
        taken.push({ left, y });
        svg.append(make('text', { x: left, y: y - 10, class: 'peak', style: `fill:${curve.colour}` }, said));
    }
}

// Beside the ends of the curves, or of the layers of each node, pushed apart.
function namesOf(box, loud) {
    const at = Math.min(view.to, data.end);
    if (data.form !== 'stacked')
        return loud.map(c => ({ label: c.label, colour: c.colour, curve: c,
                                y: box.py(valueAt(c, Math.min(view.to, c.end)) ?? 0) }));
    return [...new Set(loud.map(c => c.group))].map(group => {
        const layers = loud.filter(c => c.group === group), low = layers[0], high = layers.at(-1);
        const top = high.top[Math.max(0, indexAt(high.t, at))], own = valueAt(low, at) ?? 0;
        const bottom = low.top[Math.max(0, indexAt(low.t, at))] - own;
        return { label: data.nodes[group] ?? '', colour: layers[Math.floor(layers.length / 3)].colour, y: box.py((top + bottom) / 2), none: top <= bottom };
    }).filter(e => !e.none);
}

function drawNames(box, loud) {
    if (data.map || data.form === 'heap' || isNarrow(plot.clientWidth))
        return;
    const ends = namesOf(box, loud)
        .filter(e => e.y >= box.y - 2 && e.y <= box.y + box.h + 2).sort((a, b) => b.y - a.y);
    ends.forEach((e, i) => { if (i) e.y = Math.min(e.y, ends[i - 1].y - 16); });
    for (let i = ends.length - 1, top = box.y + 4; i >= 0; i--, top += 16)
        ends[i].y = Math.max(ends[i].y, top);
    for (const { label, colour, y, curve } of ends) {
        const sized = curve?.sign ? 14 : 0;
        if (sized)
            svg.append(sign(curve, box.x + box.w + 14, y));
        svg.append(make('text', { x: box.x + box.w + 9 + sized, y: y + 4, class: 'name', style: `fill:${colour}` },
                        label.length > 17 ? label.slice(0, 16) + '…' : label));
    }
}

// ---- the map of ranks and time, on the canvas below
function shade(share) {
    const found = [...data.heat[+isDark()].matchAll(/([\d.]+) "#(\w+)"/g)];
    const at = found.map(f => +f[1]), stops = found.map(f => f[2]);
    const i = Math.max(0, at.findIndex(a => a >= share) - 1);
    const mix = (share - at[i]) / (at[i + 1] - at[i]);
    const part = (hex, k) => parseInt(hex.slice(2 * k, 2 * k + 2), 16);
    return [0, 1, 2].map(k => Math.round(part(stops[i], k) * (1 - mix) + part(stops[i + 1], k) * mix));
}

const RUN_GAP = 26; // between the maps of two runs: a name

// How high a row is, and where the rows of a run are.
function rowOf(box) {
    return (box.h - RUN_GAP * Math.max(0, data.runs.length - 1)) / data.map.rows.length;
}

function placeOf(box, run) {
    const of = data.map.runs, first = data.runs.length ? of.indexOf(run) : 0;
    const n = data.runs.length ? of.filter(r => r === run).length : of.length, y = box.y + first * rowOf(box) + RUN_GAP * (data.runs.length ? run : 0);
    return [y, y + n * rowOf(box)];
}

// From the lightest to the darkest; what stands beside them.
function coloursOf(map) {
    const high = data.high ?? (map.largest || 1), low = data.low ?? (data.diff ? -high : 0);
    if (data.log)
        return logScale(map.largest);
    const unit = unitOf(high);
    return { tics: [0, 1, 2, 3, 4].map(i => low + (high - low) * i / 4), say: v => v ? value(v, unit) : '0',
             share: v => (v - low) / (high - low) };
}

function drawMap() {
    const ratio = devicePixelRatio || 1;
    canvas.width = plot.clientWidth * ratio;
    canvas.height = plot.clientHeight * ratio;
    if (!data.map)
        return;
    const pen = canvas.getContext('2d'), box = boxes[0], map = data.map;
    pen.scale(ratio, ratio);
    const rowHigh = rowOf(box), top = r => box.y + r * rowHigh + map.runs[r] * (data.runs.length ? RUN_GAP : 0);
    pen.fillStyle = css('--nodata');
    for (let run = 0; run < Math.max(1, data.runs.length); run++) {
        const [from, to] = placeOf(box, run);
        pen.fillRect(box.x, from, box.w, to - from);
        if (data.runs.length)
            svg.append(make('text', { x: box.x, y: from - 7, class: 'name' }, data.runs[run]));
    }
    pen.beginPath();
    pen.rect(box.x, box.y, box.w, box.h);
    pen.clip();
    const high = rowHigh, step = (full.to - full.from) / map.columns;
    const colours = coloursOf(map), apart = box.h / new Set(map.nodes).size;
    map.rows.forEach((row, r) => row.forEach((v, c) => {
        if (v === null)
            return;
        pen.fillStyle = `rgb(${shade(Math.min(1, Math.max(0, colours.share(v))))})`;
        const x = box.px(full.from + c * step), next = box.px(full.from + (c + 1) * step);
        pen.fillRect(x, top(r), next - x + .4, high + (map.runs[r] === map.runs[r + 1] ? .4 : 0));
    }));
    let named = -Infinity;
    map.rows.forEach((_, r) => {
        if (r && map.nodes[r] === map.nodes[r - 1])
            return;
        const n = map.nodes.filter(node => node === map.nodes[r]).length, y = top(r);
        const middle = y + n * high / 2;
        pen.fillStyle = css('--bg');
        if (r && map.runs[r] === map.runs[r - 1] && apart >= 10) // else lines would be all that one sees
            pen.fillRect(box.x, y - .7, box.w, 1.4);
        if (middle - named < 14)
            return;
        named = middle;
        svg.append(make('text', { x: box.x - 8, y: middle + 4, 'text-anchor': 'end' },
                        (data.nodes[map.nodes[r]] ?? '').slice(0, 11)));
    });
    const largest = map.rows.map(row => row.reduce((a, b) => Math.max(a, Math.abs(b ?? 0)), 0));
    const most = largest.indexOf(Math.max(...largest));
    svg.append(make('text', { x: box.x + box.w + 9, y: top(most) + high / 2 + 4, class: 'name' }, map.labels[most]));
    drawScale(box, colours);
}

function drawScale(box, colours) {
    const x = box.x + box.w + 24, high = box.h * .5, top = box.y + box.h * .25;
    for (let i = 0; i < 60; i++)
        svg.append(make('rect', { x, y: top + high * (1 - (i + 1) / 60), width: 12, height: high / 60 + .5,
                                  fill: `rgb(${shade((i + .5) / 60)})` }));
    for (const v of colours.tics)
        svg.append(make('text', { x: x + 18, y: top + high * (1 - colours.share(v)) + 4 }, colours.say(v)));
}

// ---- marks, and the panel with their texts
function drawMarks() {
    const box = boxes[0];
    data.marks.forEach((mark, i) => {
        const x = box.px(mark.t), y = box.py(mark.v);
        if (data.map || x < box.x - 1 || x > box.x + box.w + 1 || y < box.y - 1)
            return;
        const stroke = `stroke:${mark.kind === 'stack' ? data.curves[mark.curve].colour : 'var(--c1)'}`;
        const g = make('g', { class: i === opened ? 'mark open' : 'mark', tabindex: 0, role: 'button',
                              'data-mark': i, 'aria-label': mark.text.split('\n')[0] });
        g.append(make('circle', { cx: x, cy: y, r: 10, class: 'area' }));
        if (mark.kind === 'stack')
            g.append(make('circle', { cx: x, cy: y, r: 4.2, class: 'shape',
                                      style: `fill:var(--bg);stroke-width:1.8;${stroke}` }));
        else
            g.append(make('path', { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`, class: 'shape',
                                    style: `fill:none;stroke-width:2;${stroke}` }));
        g.addEventListener('click', () => open(i));
        g.addEventListener('keydown', e => {
            if (e.key === 'Enter' || e.key === ' ') {
                e.preventDefault();
                open(i);
            }
        });
        svg.append(g);
    });
}

function open(i) {
    opened = i === opened ? -1 : i;
    panel.classList.toggle('open', opened >= 0);
    panelText.textContent = opened >= 0 ? data.marks[opened].text : '';
    panelText.scrollTop = 0;
    svg.querySelector('.mark.open')?.classList.remove('open');
    svg.querySelector(`[data-mark="${opened}"]`)?.classList.add('open');
}

// ---- values under the pointer
function showValues(event) {
    const place = plot.getBoundingClientRect(), x = event.clientX - place.left, y = event.clientY - place.top;
    const box = boxes.find(b => x >= b.x && x <= b.x + b.w && y >= b.y - 4 && y <= b.y + b.h + 4);
    hover.style.display = box ? 'block' : 'none';
    if (!box)
        return;
    const t = view.from + (x - box.x) / box.w * (view.to - view.from);
    const head = document.createElement('b');
    const span = view.to - view.from;
    head.textContent = time(t, span < 120 ? span / box.w : 20);
    hover.replaceChildren(head, ...(data.map ? rowUnder(box, y, t) : rowsAt(box, t)));
    const flip = x > place.width / 2;
    hover.style.left = flip ? '' : `${x + 16}px`;
    hover.style.right = flip ? `${place.width - x + 16}px` : '';
    hover.style.top = `${Math.max(0, Math.min(y - 20, place.height - hover.offsetHeight))}px`;
}

function row(label, shown, colour) {
    const div = document.createElement('div'), name = document.createElement('span');
    const number = document.createElement('span');
    name.textContent = label;
    number.textContent = shown;
    div.style.setProperty('--line', colour);
    div.append(name, number);
    return div;
}

function rowsAt(box, t) {
    const found = box.curves.map(c => ({ c, v: valueAt(c, t) })).filter(r => r.v !== null);
    const rows = (layered ? found.reverse() : found.sort((a, b) => b.v - a.v)).slice(0, 16)
        .map(({ c, v }) => row(c.label, value(v), c.colour));
    if (layered)
        rows.unshift(row('all', value(found.reduce((sum, r) => sum + r.v, 0)), 'var(--fg)'));
    if (found.length > 16)
        rows.push(row(`and ${found.length - 16} more`, '', 'transparent'));
    return rows;
}

function rowUnder(box, y, t) {
    const map = data.map, run = map.runs.findLast(k => y >= placeOf(box, k)[0]) ?? 0;
    const at = y - box.y - (data.runs.length ? run * RUN_GAP : 0), last = map.runs.lastIndexOf(run);
    const r = Math.min(last, Math.max(0, Math.floor(at / rowOf(box))));
    const v = map.rows[r][Math.min(map.columns - 1, Math.floor((t - full.from) / (full.to - full.from) * map.columns))];
    return [row(`${data.runs.length ? data.runs[map.runs[r]] + ' ' : ''}${map.labels[r]}, ${data.nodes[map.nodes[r]] ?? ''}`, v === null ? 'no data' : value(v), 'transparent')];
}

// ---- zoom and pan
function look(from, to) {
    const whole = full.to - full.from, span = Math.min(whole, Math.max(whole / 1e5, to - from));
    const begin = Math.max(full.from, Math.min(full.to - span, from));
    view = { from: begin, to: begin + span };
    schedule();
}

function zoom(factor, share = .5) {
    const span = view.to - view.from, centre = view.from + share * span;
    look(centre - share * span * factor, centre + (1 - share) * span * factor);
}

function shareUnder(event) {
    const place = plot.getBoundingClientRect(), box = boxes.find(
        b => event.clientX - place.left >= b.x && event.clientX - place.left <= b.x + b.w) ?? boxes[0];
    return Math.min(1, Math.max(0, (event.clientX - place.left - box.x) / box.w));
}

let drag = null; // where a pointer, or two, went down, and the view then
const fingers = new Map();

function grab() {
    const xs = [...fingers.values()];
    drag = xs.length ? { x: middle(xs), apart: apart(xs), ...view } : null;
}

function middle(xs) {
    return xs.reduce((a, b) => a + b, 0) / xs.length;
}

function apart(xs) {
    return xs.length > 1 ? Math.max(20, Math.max(...xs) - Math.min(...xs)) : 1;
}

// What was below the pointer, or between two of them, stays there; two that part zoom.
function move() {
    const xs = [...fingers.values()], place = plot.getBoundingClientRect();
    const box = boxes.find(b => drag.x - place.left >= b.x && drag.x - place.left <= b.x + b.w) ?? boxes[0];
    const span = (drag.to - drag.from) * drag.apart / apart(xs);
    const held = drag.from + (drag.x - place.left - box.x) / box.w * (drag.to - drag.from);
    const from = held - (middle(xs) - place.left - box.x) / box.w * span;
    hover.style.display = 'none';
    look(from, from + span);
}

svg.addEventListener('wheel', event => {
    event.preventDefault();
    zoom(1.0015 ** event.deltaY, shareUnder(event));
}, { passive: false });
svg.addEventListener('pointerdown', event => {
    if (event.target.closest('.mark'))
        return;
    fingers.set(event.pointerId, event.clientX);
    grab();
});
addEventListener('pointermove', event => {
    if (!fingers.has(event.pointerId))
        return drag || showValues(event);
    fingers.set(event.pointerId, event.clientX);
    move();
});
for (const end of ['pointerup', 'pointercancel'])
    addEventListener(end, event => {
        const tapped = drag && fingers.delete(event.pointerId) && view.from === drag.from && view.to === drag.to;
        grab();
        if (tapped && event.pointerType === 'touch')
            showValues(event);
    });
svg.addEventListener('dblclick', () => look(full.from, full.to));
addEventListener('keydown', event => {
    const step = (view.to - view.from) / 8;
    const acts = {
        '+': () => zoom(.7), '=': () => zoom(.7), '-': () => zoom(1 / .7), '0': () => look(full.from, full.to),
        ArrowLeft: () => look(view.from - step, view.to - step),
        ArrowRight: () => look(view.from + step, view.to + step),
        Escape: () => { if (opened >= 0) open(opened); },
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key])
        return;
    event.preventDefault();
    acts[event.key]();
});

// ---- theme
const darkness = matchMedia('(prefers-color-scheme: dark)');
function theme(name) {
    document.documentElement.dataset.theme = name;
    data.shades.slice(8 * isDark(), 8 * isDark() + 8).forEach((shade, i) =>
        document.documentElement.style.setProperty(`--h${i >> 2}${i & 3}`, shade));
    data.owners.slice(9 * isDark(), 9 * isDark() + 9).forEach((shade, i) =>
        document.documentElement.style.setProperty(`--o${i}`, shade));
    schedule();
}
theme(data.dark || darkness.matches ? 'dark' : 'light');
darkness.addEventListener('change', () => theme(darkness.matches ? 'dark' : 'light'));
document.getElementById('theme').addEventListener('click', () =>
    theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
document.getElementById('whole').addEventListener('click', () => look(full.from, full.to));
document.getElementById('close').addEventListener('click', () => open(opened));

document.documentElement.dataset.palette = data.palette;
document.title = data.title;
document.querySelector('h1').textContent = data.title;
document.getElementById('subtitle').textContent = data.subtitle;
const keyed = data.form === 'multiples' && data.runs.length
    ? data.runs.map((label, run) => ({ label, colour: `var(--c${run % colours})` }))
    : data.curves.filter(c => !c.quiet && data.form !== 'stacked' && data.form !== 'multiples');
for (const curve of keyed) {
    const span = document.createElement('span');
    span.textContent = curve.label;
    span.style.setProperty('--line', curve.colour);
    if (curve.sign) {
        const small = make('svg', { width: 14, height: 10, viewBox: '-7 -5 14 10' });
        small.append(sign(curve, 0, 0));
        span.prepend(small);
    }
    document.getElementById('key').append(span);
}
new ResizeObserver(schedule).observe(plot);
