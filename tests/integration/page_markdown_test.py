#!/usr/bin/env python3
"""How the page shows Markdown: rendered by its own code, in a real browser, under its content policy.

  page_markdown_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR [TEST...]

Needs Chromium and the standard library; skips without a browser.
"""
import json

import page_fixture
from page_fixture import PageTest

setUpModule = page_fixture.set_up
tearDownModule = page_fixture.tear_down


class Markdown(PageTest):
    expected_fault = "TrustedHTML"  # in the one test that tries

    def render(self, text):
        return self.page.evaluate(f"""import('/page/markdown.js').then(({{renderMarkdown}}) => {{
            const place = document.createElement('div');
            renderMarkdown(place, {json.dumps(text)});
            for (const button of place.querySelectorAll('button')) button.remove();
            return place.innerHTML;
        }})""")

    def test_it_shows_what_models_write(self):
        for text, html in [
            ("a *b* **c** ***d*** ~~e~~ `f*g*`", "<p>a <em>b</em> <strong>c</strong> <strong><em>d</em></strong> <del>e</del> <code>f*g*</code></p>"),
            ("snake_case_name 2 * 3 * 4", "<p>snake_case_name 2 * 3 * 4</p>"),
            ("**not closed and `nor this", "<p>**not closed and `nor this</p>"),
            ("\\*text\\*", "<p>*text*</p>"),
            ("## Title ##\ntext", "<h4>Title</h4><p>text</p>"),
            ("- a\n- b\n  1. c\n- d", "<ul><li>a</li><li>b<ol><li>c</li></ol></li><li>d</li></ul>"),
            ("3. c\n\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
            ("- a\n\n  b\n", "<ul><li>a<p>b</p></li></ul>"),
            ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
            ("a\n\n---\nb", "<p>a</p><hr><p>b</p>"),
            ("one\ntwo", "<p>one<br>two</p>"),
            ("```c\n\tif (a < b) `x`\n", '<figure class="code"><figcaption><span>c</span></figcaption><pre tabindex="0"><code>\tif (a &lt; b) `x`\n</code></pre></figure>'),
            ("````\n```\n````", '<figure class="code"><figcaption><span>text</span></figcaption><pre tabindex="0"><code>```</code></pre></figure>'),
            ("- x\n  ```\n  y\n  ```", '<ul><li>x<figure class="code"><figcaption><span>text</span></figcaption><pre tabindex="0"><code>y</code></pre></figure></li></ul>'),
        ]:
            with self.subTest(text):
                self.assertEqual(self.render(text), html)
        table = self.render("| a | b\\|c |\n|:--|--:|\n| `d` |\n")
        self.assertIn('<th>a</th><th class="right">b|c</th>', table)
        self.assertIn('<td><code>d</code></td><td class="right"></td>', table)

    def test_links_lead_to_the_web_only(self):
        anchor = '<a href="{0}" target="_blank" rel="noopener noreferrer">{1}</a>'
        for text, html in [
            ("[a](https://x.org/b_(c))", anchor.format("https://x.org/b_(c)", "a")),
            ("see https://x.org/a.", f"see {anchor.format('https://x.org/a', 'https://x.org/a')}."),
            ("<mailto:a@b.c>", anchor.format("mailto:a@b.c", "mailto:a@b.c")),
            ("![picture](https://x.org/a.png)", anchor.format("https://x.org/a.png", "picture")),
            ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
            ("[a](data:text/html,b)", "[a](data:text/html,b)"),
            ("[a](//x.org)", "[a](//x.org)"),
        ]:
            with self.subTest(text):
                self.assertEqual(self.render(text), f"<p>{html}</p>")

    def test_markup_of_an_answer_is_text(self):
        html = self.render("<img src=x onerror=alert(1)> <script>alert(1)</script> `<b>` ```<i>\n<svg onload=alert(1)>")
        self.assertNotRegex(html, r"<(img|script|b|i|svg)\b")
        self.assertIn("&lt;script&gt;", html)
        # Were there a place that forgot, the browser would refuse it.
        refused = self.page.evaluate("(() => { try { document.body.innerHTML = '<p>'; return ''; } catch (e) { return e.name; } })()")
        self.assertEqual(refused, "TypeError")

    def test_long_and_hostile_texts_take_no_time(self):
        for text in ("*" * 50_000, "[" * 50_000, "`a" * 30_000, "> " * 20_000, "- " * 20_000, "**a " * 20_000, "_a " * 20_000,
                     "<" * 50_000, "![](" * 10_000, "|-" * 20_000, "# " * 20_000, " " * 50_000 + "a", "- a\n" * 5_000,
                     "https://" * 10_000, "- - - " * 5_000 + "x", "~~a" * 10_000, "a\n" * 20_000):
            with self.subTest(text[:12]):
                took = self.page.evaluate(f"""import('/page/markdown.js').then(({{renderMarkdown}}) => {{
                    const begin = performance.now();
                    renderMarkdown(document.createElement('div'), {json.dumps(text)});
                    return performance.now() - begin;
                }})""")
                self.assertLess(took, 2000)

    def test_blocks_that_have_not_changed_keep_their_elements(self):
        kept = self.page.evaluate("""import('/page/markdown.js').then(({renderMarkdown}) => {
            const place = document.createElement('div');
            renderMarkdown(place, 'one\\n\\ntwo');
            const [first, second] = place.children;
            renderMarkdown(place, 'one\\n\\ntwo and three');
            return [place.children[0] === first, place.children[1] === second, place.innerText];
        })""")
        self.assertEqual(kept[:2], [True, False])


if __name__ == "__main__":
    page_fixture.run()
