// Opens files in speedscope, in Chromium without a window: what a person would do by hand.
//   node speedscope_open.mjs NODE_MODULES CHROMIUM FOLDER FILE...
// Prints a JSON line a file: the page's title, its text in the table of functions, errors, dialogs.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { createRequire } from 'node:module';

const [modules, chromium, folder, ...files] = process.argv.slice(2);
const { chromium: browsers } = createRequire(path.join(modules, 'x'))('playwright-core');
const app = path.join(modules, 'speedscope/dist/release');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css',
                '.json': 'application/json', '.wasm': 'application/wasm' };

const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const file = name.startsWith('/data/') ? path.join(folder, name.slice(6)) : path.join(app, name);
    fs.readFile(file, (error, bytes) => {
        const type = types[path.extname(file)] ?? 'application/octet-stream';
        response.writeHead(error ? 404 : 200, { 'Content-Type': type });
        response.end(error ? '' : bytes);
    });
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const base = `http://127.0.0.1:${server.address().port}`;

// Drawing needs WebGL, which is done in software; nothing may ask for other hosts.
const browser = await browsers.launch({
    executablePath: chromium,
    args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync', '--use-gl=angle',
           '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
for (const file of files) {
    const page = await browser.newPage({ viewport: { width: 640, height: 900 } });
    page.setDefaultTimeout(120000); // a busy machine
    const seen = { file, errors: [], dialogs: [] };
    page.on('pageerror', error => seen.errors.push(error.message));
    page.on('dialog', dialog => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
    await page.goto(`${base}/index.html#profileURL=` +
                    encodeURIComponent(`${base}/data/${file}`));
    try {
        await page.getByText('Sandwich').click();
        await page.waitForFunction(() => /Symbol Name[^]*%/.test(document.body.innerText));
    } catch (error) {
        seen.errors.push(error.message);
    }
    seen.title = await page.title();
    seen.text = await page.evaluate(() => document.body.innerText);
    console.log(JSON.stringify(seen));
    await page.close();
}
await browser.close();
server.close();
