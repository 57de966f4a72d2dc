// Opens a flame graph of memlog plot, .svg or .html, in Chromium and does what a person would.
//   node flame_open.mjs NODE_MODULES CHROMIUM PAGE [SHOTS]
// Prints one JSON object: what was seen, errors, requests. SHOTS: where pictures of it go.
import path from 'node:path';
import { createRequire } from 'node:module';

const [modules, chromium, file, shots] = process.argv.slice(2);
const { chromium: browsers } = createRequire(path.join(modules, 'x'))('playwright-core');
const browser = await browsers.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
           '--disable-background-networking', '--disable-component-update'],
});
const seen = { errors: [], requests: [], dialogs: [] };

async function openPage(options) {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(120000); // a busy machine
    page.on('pageerror', error => seen.errors.push(error.message));
    page.on('console', message => seen.errors.push(message.text()));
    page.on('request', request => seen.requests.push(request.url()));
    page.on('dialog', dialog => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
    await page.goto('file://' + path.resolve(file));
    await page.locator('.tools input').waitFor();
    return page;
}

// The boxes that are shown: what can be read in them, and by how much that leaves them.
const boxesOf = page => page.evaluate(() => [...document.querySelectorAll('.boxes > g')]
    .filter(g => g.getAttribute('display') !== 'none').map(g => {
        const rect = g.querySelector('rect'), place = rect.getBoundingClientRect(), text = g.querySelector('text');
        const name = text?.textContent ?? '';
        return { row: +g.dataset.row, x: place.x, y: place.y, w: place.width, name, hit: g.classList.contains('hit'),
                 over: name ? text.getBoundingClientRect().right - place.right : 0, fill: getComputedStyle(rect).fill };
    }));
const underOf = page => page.evaluate(() => {
    const under = document.querySelector('.under'), place = under.getBoundingClientRect();
    return { shown: getComputedStyle(under).display !== 'none', text: under.innerText,
             inside: place.left >= 0 && place.right <= innerWidth && place.top >= 0 && place.bottom <= innerHeight };
});
const foundOf = page => page.locator('.found').textContent();
const centre = box => [box.x + Math.min(box.w / 2, 30), box.y + 8];

async function shot(page, name) {
    if (shots)
        await page.screenshot({ path: path.join(shots, name + '.png') });
}

const page = await openPage({ viewport: { width: 1200, height: 760 }, colorScheme: 'light' });
seen.boxes = await boxesOf(page);
await shot(page, 'light');
const named = seen.boxes.filter(b => b.name && b.row >= 3).sort((a, b) => b.w - a.w || b.row - a.row);
const chosen = named.find(b => b.w < .6 * seen.boxes[0].w) ?? named[0] ?? seen.boxes.at(-1);
seen.chosen = chosen;
await page.mouse.move(...centre(chosen));
seen.under = await underOf(page);
await shot(page, 'under');
await page.mouse.click(...centre(chosen));
await page.mouse.move(2, 2);
seen.zoomed = await boxesOf(page);
seen.away = await underOf(page);
await shot(page, 'zoomed');
await page.locator('button.whole').click();
seen.reset = await boxesOf(page);
await page.keyboard.press('Escape');
await page.keyboard.press('/');
seen.word = (process.env.MEMLOG_WORD ?? chosen.name.replace('…', '')).slice(0, 12);
await page.keyboard.insertText(seen.word);
seen.found = await foundOf(page);
seen.hits = (await boxesOf(page)).filter(b => b.hit);
await shot(page, 'found');
await page.keyboard.press('Enter');
seen.first = await underOf(page);
await page.keyboard.press('Escape');
seen.escaped = await foundOf(page);
await page.keyboard.type('/no such call');
seen.missing = await foundOf(page);
await page.keyboard.press('Escape');
await page.reload();
await page.locator('.tools input').waitFor();
await page.keyboard.press('ArrowLeft');
seen.atAll = await underOf(page);
await page.keyboard.press(await page.locator('.flame').getAttribute('data-way') === 'up' ? 'ArrowUp' : 'ArrowDown');
seen.atInner = await underOf(page);
await page.keyboard.press('Enter');
seen.entered = await boxesOf(page);
await page.keyboard.press('0');
seen.again = await boxesOf(page);
await page.setViewportSize({ width: 800, height: 700 });
await page.waitForFunction(() => document.querySelector('.boxes rect').getBoundingClientRect().width < 800);
seen.narrower = await boxesOf(page);
seen.touched = await page.evaluate(() => globalThis.touched ?? null);
await page.close();

const dark = await openPage({ viewport: { width: 1200, height: 760 }, colorScheme: 'dark' });
seen.dark = await boxesOf(dark);
seen.ground = await dark.evaluate(() => {
    const rect = document.querySelector('.ground');
    return rect ? getComputedStyle(rect).fill : getComputedStyle(document.body).backgroundColor;
});
await shot(dark, 'dark');
await dark.close();

const phone = await openPage({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
seen.phone = await boxesOf(phone);
seen.phoneWide = await phone.evaluate(() => document.documentElement.scrollWidth);
await shot(phone, 'phone');
const tapped = seen.phone.filter(b => b.row >= 2 && b.w > 40).sort((a, b) => a.w - b.w)[0];
if (tapped) {
    await phone.touchscreen.tap(...centre(tapped));
    await phone.waitForFunction(() => document.querySelector('.under').style.display === 'block');
    seen.tapped = await underOf(phone);
    await shot(phone, 'tapped');
}
console.log(JSON.stringify(seen));
await browser.close();
