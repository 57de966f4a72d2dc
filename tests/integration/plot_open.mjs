// Opens a page of memlog plot in Chromium without a window and does what a person would.
//   node plot_open.mjs NODE_MODULES CHROMIUM PAGE
// Prints one JSON object: what was seen, errors, requests.
import path from 'node:path';
import { createRequire } from 'node:module';

const [modules, chromium, file] = process.argv.slice(2);
const { chromium: browsers } = createRequire(path.join(modules, 'x'))('playwright-core');
const browser = await browsers.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
           '--disable-background-networking', '--disable-component-update'],
});
const seen = { errors: [], requests: [], dialogs: [] };

async function openPage(colorScheme) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 }, colorScheme });
    page.setDefaultTimeout(120000); // a busy machine
    page.on('pageerror', error => seen.errors.push(error.message));
    page.on('console', message => seen.errors.push(message.text()));
    page.on('request', request => seen.requests.push(request.url()));
    page.on('dialog', dialog => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
    await page.goto('file://' + path.resolve(file));
    await page.locator('#plot svg path, #plot svg text').first().waitFor();
    return page;
}

const panelOf = page => page.evaluate(() => ({
    open: document.getElementById('panel').classList.contains('open'),
    text: document.querySelector('#panel pre').textContent,
}));
const ticsOf = page => page.evaluate(() => [...document.querySelectorAll('#plot svg text')]
    .filter(t => t.getAttribute('text-anchor') === 'middle').map(t => t.textContent));
const settle = page => page.evaluate(() => new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(done))));
const groundOf = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const page = await openPage('light');
seen.title = await page.title();
seen.light = await groundOf(page);
seen.texts = await page.evaluate(() => document.body.innerText);
seen.svg = await page.evaluate(() => [...document.querySelectorAll('#plot svg text')].map(t => t.textContent));
seen.marks = await page.locator('.mark').count();
seen.touched = await page.evaluate(() => globalThis.touched ?? null);
if (seen.marks) {
    await page.locator('.mark').last().click(); // the one on top
    seen.clicked = await panelOf(page);
    await page.keyboard.press('Escape');
    seen.escaped = await panelOf(page);
    await page.locator('.mark').first().focus();
    await page.keyboard.press('Enter');
    seen.entered = await panelOf(page);
    await page.keyboard.press('Escape');
    // Every mark's text as the panel shows it
    seen.all = await page.evaluate(() => data.marks.map((_, i) => {
        open(i);
        return document.querySelector('#panel pre').textContent;
    }));
    await page.evaluate(() => open(opened));
}
await settle(page);
seen.tics = await ticsOf(page);
const place = await page.locator('#plot svg').boundingBox();
const inside = await page.evaluate(() => ({ x: boxes[0].x + boxes[0].w * .3, y: boxes[0].y + boxes[0].h * .5 }));
await page.mouse.move(place.x + inside.x, place.y + inside.y);
seen.hover = await page.evaluate(() => document.getElementById('hover').innerText);
await page.mouse.wheel(0, -600);
await settle(page);
seen.zoomed = await ticsOf(page);
await page.keyboard.press('0');
await settle(page);
seen.whole = await ticsOf(page);
await page.keyboard.press('+');
await page.keyboard.press('ArrowRight');
await settle(page);
seen.moved = await ticsOf(page);
await page.locator('#theme').click();
seen.toggled = await groundOf(page);
await page.close();
const dark = await openPage('dark');
seen.dark = await groundOf(dark);
await browser.close();
console.log(JSON.stringify(seen));
