import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mixedContent } from './mixed-content.ts';

test('scripts, styles, images and frames over http are found, each once', () => {
  const page = `<!doctype html><html><head>
    <script src="http://cdn.example/a.js"></script>
    <link rel=stylesheet href='http://cdn.example/a.css'>
    <link rel="canonical" href="http://www.example.org/">
    <!-- <script src="http://cdn.example/old.js"></script> -->
    </head><body><img alt="x > y" src=http://cdn.example/a.png><img src="http://cdn.example/a.png">
    <IMG SRC="HTTP://cdn.example/b.png"/>
    <a href="http://www.example.org/">follow me</a><img src="/c.png"><img src="//cdn.example/d.png">
    <iframe src="https://cdn.example/e"></iframe></body></html>`;
  assert.deepEqual(mixedContent(page), [
    'http://cdn.example/a.js',
    'http://cdn.example/a.css',
    'http://cdn.example/a.png',
    'HTTP://cdn.example/b.png',
  ]);
});

test('a page that is made to keep a reader busy does not', () => {
  const started = performance.now();
  for (const piece of ['<script a=', '<img src="', '<a b ', '<!--', '<x y="z" ', 'a b c='])
    mixedContent(`<img ${piece.repeat(60_000)}`.slice(0, 300_000));
  assert.ok(performance.now() - started < 5000, `${performance.now() - started} ms`);
});
