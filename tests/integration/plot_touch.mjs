// Opens a page of memlog plot in Chromium as on a phone, and touches it as a person would.
//   node plot_touch.mjs NODE_MODULES CHROMIUM PAGE
// Prints one JSON object: widths, texts, what was shown before and after.
import path from 'node:path';
import { createRequire } from 'node:module';

const [modules, chromium, file] = process.argv.slice(2);
const { chromium: browsers } = createRequire(path.join(modules, 'x'))('playwright-core');
const browser = await browsers.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
           '--disable-background-networking', '--disable-component-update'],
});
const context = await browser.newContext({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
const page = await context.newPage();
const seen = { errors: [] };
page.setDefaultTimeout(120000); // a busy machine
page.on('pageerror', error => seen.errors.push(error.message));
await page.goto('file://' + path.resolve(file));
await page.locator('#plot svg text').first().waitFor();
const settle = () => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
const view = async () => { await settle(); return page.evaluate(() => ({ ...view })); };

seen.page = await page.evaluate(() => document.documentElement.scrollWidth);
seen.graph = await page.evaluate(() => ({ left: boxes[0].x, wide: boxes[0].w, plot: plot.clientWidth }));
seen.key = await page.evaluate(() => document.getElementById('key').innerText);
seen.cut = await page.evaluate(() => [...document.querySelectorAll('#plot svg text')].filter(t => {
    const box = t.getBoundingClientRect();
    return box.left < 0 || box.right > innerWidth;
}).map(t => t.textContent));
const touch = await context.newCDPSession(page);
const send = (type, ...xs) => touch.send('Input.dispatchTouchEvent', {
    type, touchPoints: xs.map((x, id) => ({ x, y: 300, id })),
});
seen.whole = await view();
await send('touchStart', 150, 250);
await send('touchMove', 120, 280);
await send('touchMove', 100, 300);
await send('touchEnd');
seen.pinched = await view();
await send('touchStart', 250);
await send('touchMove', 200);
await send('touchEnd');
seen.moved = await view();
await send('touchStart', 200);
await send('touchEnd');
await settle();
seen.tapped = await page.evaluate(() => document.getElementById('hover').innerText);
if (process.env.MEMLOG_SHOT)
    await page.screenshot({ path: process.env.MEMLOG_SHOT });
await browser.close();
console.log(JSON.stringify(seen));
